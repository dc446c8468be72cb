"""Two small sources."""

import pytest

from softmerge_core.settings import SourceSpec
from tests.experiments.library import trained


@pytest.fixture
def pair() -> tuple[SourceSpec, SourceSpec]:
    return trained("first", 1), trained("second", 2)
