"""What a run's networks predict for the test samples, as its page has it: kept by the run, or computed when asked."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from pages.shared.choose.zoo_command import engine_command
from pages.shared.runs.reader import RunReader
from pages.shared.runs.services import run_store
from pages.shared.show.text import plain
from softmerge_core.data import data_facts, datasets
from softmerge_core.errors import SoftMergeError
from softmerge_core.experiments.merge.inside import class_count, class_titles
from softmerge_core.experiments.merge.predictions import NAME, Predictions, best_of, read_predictions
from softmerge_core.experiments.words import sentence
from softmerge_core.runs import files

FAILED = "What its networks predict could not be computed."
MOST = 16  # runs whose computed answers are held
_computed: dict[Path, Predictions] = {}  # by the file of the merged weights, oldest first


@dataclass(frozen=True)
class Inside:
    """The predictions of a run, its data set, its classes and sources by name, and which classes go together."""

    found: Predictions
    dataset: str
    classes: tuple[str, ...]
    sources: tuple[str, ...]
    groups: tuple[tuple[str, int], ...] = ()


def inside_of(reader: RunReader) -> Inside | None:
    """What is known of a run with a result; None where it kept no predictions and none were computed yet.

    Raises RunError where they are damaged.
    """
    weights = files.weights_path(run_store().folder(reader.run_id), "merged")
    found: Inside | None = reader.once(f"inside:{weights in _computed}", lambda: _inside(reader, weights))
    return found


def _inside(reader: RunReader, weights: Path) -> Inside | None:
    result = reader.view.result or {}
    names = tuple(str(name) for name in result["source_names"])
    found = _computed.get(weights)
    if found is None:
        found = read_predictions(weights.with_stem(NAME), len(names), best_of(result))
    if found is None:
        return None
    dataset = reader.view.spec.data.dataset  # type: ignore[attr-defined]
    titles, groups = class_names(dataset)
    classes = class_titles(titles, class_count(found, titles))
    return Inside(found, dataset, tuple(classes), names, groups if len(titles) == len(classes) else ())


def class_names(dataset: str) -> tuple[tuple[str, ...], tuple[tuple[str, int], ...]]:
    """(what the classes of a data set are called, which of them go together); nothing of data that are gone."""
    known = datasets().get(dataset)
    if known is not None:
        return known.class_names, known.groups
    try:
        return data_facts(dataset).class_names, ()
    except SoftMergeError:
        return (), ()


def compute_button(reader: RunReader) -> None:
    """Offer to compute what an older run did not keep; where it kept no weights either, say so."""
    weights = files.weights_path(run_store().folder(reader.run_id), "merged")
    if not weights.is_file():
        st.caption("This run kept neither its weights nor what its networks predict, so there is nothing to look into.")
        return
    st.caption("This run did not keep what its networks predict for each test sample, but it can be computed.")
    about = "Lets the merged network and its sources classify the test samples again; takes some seconds."
    if st.button("Compute predictions", icon=":material/troubleshoot:", key="inside-compute", help=about):
        _compute(reader, weights)


def _compute(reader: RunReader, weights: Path) -> None:
    result = reader.view.result or {}
    try:
        with st.spinner("Classifying the test samples"), tempfile.TemporaryDirectory(prefix="softmerge-") as folder:
            out = Path(folder) / f"{NAME}.safetensors"
            engine_command("predictions", reader.run_id, str(out), failure=FAILED)
            found = read_predictions(out, len(result["source_names"]), best_of(result))
    except SoftMergeError as error:
        st.error(plain(sentence(str(error)), 400), icon=":material/error:")
        return
    if found is not None:
        _computed[weights] = found
        while len(_computed) > MOST:
            _computed.pop(next(iter(_computed)), None)
        st.rerun()
