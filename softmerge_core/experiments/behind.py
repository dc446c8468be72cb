"""Whether one run may be drawn behind another of its kind: only what was measured on the same samples is comparable."""

from softmerge_core.data import datasets
from softmerge_core.experiments.base import Spec
from softmerge_core.experiments.words import clipped


def apart(spec: Spec, pinned: Spec) -> str:
    """Why the ``pinned`` run must not be drawn behind one of ``spec``, as the end of a sentence; "" where it may be.

    Test samples are those of the data set. A merge is drawn by its validation samples, which a spec may cut short.
    """
    (mine, few), (theirs, others) = _measured_on(spec), _measured_on(pinned)
    if mine != theirs:
        return f"it was measured on other data ({_title(theirs)} instead of {_title(mine)})"
    if spec.kind == "merge" and few != others:
        return "it was measured on another number of validation samples"
    return ""


def _measured_on(spec: Spec) -> tuple[str, int | None]:
    """The data set of a run and how many of its validation samples it takes at most."""
    data = getattr(spec, "data", None)
    if data is None:
        return str(getattr(spec, "dataset", "")), None
    return data.dataset, data.validation_samples


def _title(dataset: str) -> str:
    known = datasets().get(dataset)
    return known.title if known else clipped(dataset.rpartition("/")[2], 40)
