"""What the networks of an older merge predict, which its run did not keep, computed from their weights. Loads torch."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from softmerge_core.checkpoints.files import load_checkpoint, load_into
from softmerge_core.data import load_data
from softmerge_core.errors import RunError
from softmerge_core.experiments.aligning import align_to_best
from softmerge_core.experiments.loading import lazy_sources
from softmerge_core.experiments.merge.lineage import kind_of
from softmerge_core.experiments.merge.predictions import FIRST
from softmerge_core.experiments.merge.scores import others_of, score_all
from softmerge_core.experiments.merge.spec import MergeSpec
from softmerge_core.networks import build_network

CHANGED = "a source, the data or the versions are not what they were"


def predict_again(spec: MergeSpec, result: Mapping[str, Any], weights: Path) -> dict[str, Tensor]:
    """What a run of ``spec`` with this ``result`` would have kept, from its merged ``weights`` and its sources.

    Raises RunError where these do not get the same test samples right as in the run.
    """
    data = load_data(spec.data)
    loaded, names = lazy_sources(spec.sources)
    modules = align_to_best(loaded, data, spec.align)
    sound = [place for place, name in enumerate(names) if name not in (result.get("excluded") or ())]
    merged = build_network(*kind_of(spec.sources[0].model), seed=0)
    load_into(merged, load_checkpoint(weights), f"merged weights in {weights.name}")
    scores, predicted = score_all(merged.eval(), others_of(modules, sound, data), sound, names, data)
    _check(scores, result)
    return predicted


def _check(scores: Mapping[str, Any], result: Mapping[str, Any]) -> None:
    """Raise RunError unless the networks are right where they were; older results have only accuracies."""
    measure = "correct" if result.get("correct") else "accuracy"
    then, now = result[measure], scores[measure]
    for name in (*FIRST, "sources"):
        if then.get(name) is not None and then[name] != now[name]:
            what = "the sources" if name == "sources" else f"{name!r}"
            raise RunError(f"what {what} get right on the test data differs from what the run wrote down: {CHANGED}")
