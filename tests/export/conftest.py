"""A merge that has ended, with names that try to be more than names."""

from pathlib import Path

import pytest

from softmerge_core.runs import RunStore
from softmerge_core.runs.writer import conduct
from softmerge_core.settings import AttackSettings, SourceSpec
from tests.experiments.library import trained
from tests.experiments.merge.specs import merge_spec
from tests.export.subjects import EVIL


@pytest.fixture
def sources() -> tuple[SourceSpec, ...]:
    """Three sources, of which one is poisoned."""
    spoiled = trained("third", 3).model_copy(update={"attack": AttackSettings(kind="noise", strength=2)})
    return trained("first", 1), trained("second", 2), spoiled


@pytest.fixture
def ended(sources: tuple[SourceSpec, ...]) -> Path:
    """The folder of a finished merge."""
    return finished(*sources, name=EVIL)


def finished(*sources: SourceSpec, **fields: object) -> Path:
    """The folder of a merge of ``sources`` that has just been done."""
    store = RunStore()
    folder = store.folder(store.create(merge_spec(*sources, **fields)))
    assert conduct(folder) == "finished"
    return folder
