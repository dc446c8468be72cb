"""A run is gone through again to one of its steps: from any of its snapshots, with the same bits."""

from pathlib import Path

import pytest
import torch

from softmerge_core.errors import RunError, SoftMergeError
from softmerge_core.events import Gates
from softmerge_core.experiments.merge.explain import explain_gates, explain_step
from softmerge_core.merging.changes import Change
from softmerge_core.merging.snapshots import load_progression
from softmerge_core.runs import waypoints
from softmerge_core.runs.store import RunStore
from softmerge_core.runs.writer import conduct
from softmerge_core.settings import SourceSpec
from softmerge_core.zoo import remove_from_library
from tests.experiments.merge.specs import FAST, merge_spec


def test_a_step_ends_with_the_gates_that_the_run_itself_has_then(
    pair: tuple[SourceSpec, SourceSpec], tmp_path: Path
) -> None:
    store = RunStore(tmp_path / "runs")
    settings = FAST.model_copy(update={"granularity": "auto", "steps": 8})
    spec = merge_spec(*pair, settings=settings, changes=(Change(step=6, penalty=0.5),))
    folder = store.folder(store.create(spec))
    conduct(folder)
    events, snapshots = store.read(folder.name).events, list(waypoints.newest_first(folder))
    for snapshot in snapshots[:-1]:  # made after a step of the stage, which the one that is explained leads to
        kept = load_progression(snapshot, torch.Generator())
        if not kept.stage_step:
            continue
        found = explain_step(spec, kept.step, snapshots=snapshots, told=events)
        assert found["stage"] == kept.stage
        after = torch.tensor([part["after"] for part in found["parts"].values()])
        assert torch.equal(after, kept.training["log_alpha"][: len(after)])
        assert found == {**explain_step(spec, kept.step, told=events), "compared": found["compared"]}
        assert found["compared"] > 0
        assert found["differs"] is None
        assert found["settings"]["penalty"] == (0.5 if kept.step > 6 else settings.penalty)
        history = explain_gates(spec, kept.stage, until=kept.step, snapshots=snapshots, told=events)
        ends = torch.tensor([part["course"]["log_alpha"][-1] for part in history["parts"].values()])
        torch.testing.assert_close(ends, after, atol=1e-5, rtol=0)


def test_what_cannot_be_explained_says_why(pair: tuple[SourceSpec, SourceSpec]) -> None:
    spec = merge_spec(*pair)
    with pytest.raises(RunError, match="learned in steps 1 to 12"):
        explain_step(spec, 13)
    with pytest.raises(RunError, match="expected 1 or more, got 0"):
        explain_step(spec, 0)
    with pytest.raises(RunError, match="'channel': no gate of this run"):
        explain_gates(spec, "channel", until=4)
    remove_from_library(pair[0].model.removeprefix("library/"))
    with pytest.raises(SoftMergeError, match="first"):
        explain_step(spec, 1)


def test_a_replay_that_goes_another_way_than_the_run_says_so(pair: tuple[SourceSpec, SourceSpec]) -> None:
    other = Gates(step=2, stage="layer", probability=((0.5, 0.5),) * 3, value=((0.5, 0.5),) * 3)
    found = explain_step(merge_spec(*pair), 4, told=[other])
    assert (found["compared"], found["differs"]) == (1, 2)
