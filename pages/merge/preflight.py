"""What is told of a merge before it starts: memory and time, and how well the weights of its sources fit together."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock

import streamlit as st

from pages.shared.choose.zoo_command import zoo_command
from pages.shared.show.table import show_table
from pages.shared.show.text import plain
from softmerge_core.checkpoints.distances import Distances
from softmerge_core.errors import SoftMergeError
from softmerge_core.experiments.merge.fit import fit_sentence, layer_rows, pair_rows
from softmerge_core.experiments.merge.spec import MergeSpec
from softmerge_core.experiments.merge.timing import time_sentence
from softmerge_core.experiments.merge.words import memory_sentence
from softmerge_core.zoo import card_title
from softmerge_core.zoo.fit import find_fit, is_quick, known_fit

PATIENCE = 3.0  # seconds, once, for a process that reads large files; nothing of the server waits but this visitor
READING = "The weights are being compared."
FEW = 7  # layers that are shown without a bar to scroll by
AGAIN = 2.0  # seconds between two looks at whether they are
ABOUT = (
    "Distance: |a − b| over the mean of |a| and |b|. Cosine: of all weights as one vector. Kin: the median over layers "
    "of |cosine| of the weight matrices; shipped families with a shared trunk have 0.49 and more (0.17 beside strong "
    "noise), those trained apart 0.10 at most."
)
_READERS = ThreadPoolExecutor(max_workers=2)  # each only waits for its process
_ASKED: dict[tuple[str, ...], Future[None]] = {}
_LOCK = Lock()


def preflight(spec: MergeSpec) -> None:
    """Draw what is known of a merge that could be started."""
    needs = " ".join(filter(None, (_memory(spec.model_dump_json(), spec), time_sentence(spec))))
    if needs:
        st.caption(f":material/memory: {needs}")
    models = tuple(source.model for source in spec.sources)
    names = [card_title(model) for model in models]
    found = _fit(models)
    if isinstance(found, Distances):
        spoiled = any(source.attack for source in spec.sources)
        st.caption(f":material/join_inner: {plain(fit_sentence(found, names), 500)}")
        fold = st.expander("Fit", icon=":material/compare_arrows:", key="fit-fold", on_change="rerun")
        if fold.open:  # of hundreds of layers the table is long
            with fold:
                _details(found, names, spoiled=spoiled)
    elif found:
        _wait(models, found)


def _wait(models: tuple[str, ...], told: str) -> None:
    """Say that the weights are being compared, and draw the page again once they are."""

    def look() -> None:
        st.caption(f":material/join_inner: {told}")
        with _LOCK:
            asked = _ASKED.get(models)
        if asked is None or asked.done():
            st.rerun()

    st.fragment(look, run_every=AGAIN, key="fit-waits")()


def _details(found: Distances, names: Sequence[str], *, spoiled: bool) -> None:
    if spoiled:
        st.caption("The files as they are: what poisoning does to a copy comes later.")
    show_table(("Pair", "Distance", "Cosine", "Kin"), pair_rows(found, names), name="sources-pairs")
    st.caption(ABOUT)
    rows = layer_rows(found)
    with st.container(height=280 if len(rows) > FEW else "content"):
        show_table(("Layer", "Distance", "Cosine", "Largest |w|"), rows, name="sources-layers")


@st.cache_data(max_entries=64, show_spinner=False)
def _memory(spec_json: str, _spec: MergeSpec) -> str:
    """The memory a merge will take, in words; the headers of files are read for it, so the answer is remembered."""
    return memory_sentence(_spec)


def _fit(models: tuple[str, ...]) -> Distances | str:
    """What comparing the weights gave, or why there is nothing yet, or "" where there will be nothing."""
    if (known := _known(models)) is not None:
        return known
    try:
        if is_quick(models):
            return find_fit(models)
        found = _asked(models)
    except (SoftMergeError, OSError):  # no safetensors, or gone: the run itself will tell
        return ""
    return found


def _asked(models: tuple[str, ...]) -> Distances | str:
    """Large files are read by a process of its own: what it found, if it is soon done."""
    with _LOCK:
        first = models not in _ASKED
        if first:
            _ASKED[models] = _READERS.submit(_compare, models)
        asked = _ASKED[models]
    try:
        asked.result(timeout=PATIENCE if first else 0.05)
    except TimeoutError:
        return READING
    with _LOCK:
        _ASKED.pop(models, None)
    return known_fit(models) or ""


def _compare(models: tuple[str, ...]) -> None:
    zoo_command("compare", *models, failure="the weights could not be compared")


def _known(models: tuple[str, ...]) -> Distances | None:
    """What is known already; kept in the session, for it is asked for at every step of the reader."""
    kept: dict[tuple[str, ...], Distances] = st.session_state.setdefault("fits", {})
    if models not in kept and (found := known_fit(models)) is not None:
        kept[models] = found
    return kept.get(models)
