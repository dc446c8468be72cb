"""Hundreds of damaged weights files, in a process that is watched: no death, no code run, typed errors only."""

import pytest

from tests.checkpoints.mutations import MOST
from tests.mutations import COUNT, outcome

pytestmark = [pytest.mark.mutations, pytest.mark.timeout(3600)]


def test_damaged_weights_files_are_read_or_refused_by_a_typed_error() -> None:
    told = outcome("tests.checkpoints.mutations")
    assert told["failures"] == []
    assert told["read"] + told["refused"] == COUNT
    assert told["refused"] > COUNT / 4
    assert told["read"] > 0
    assert told["peak"] < MOST
