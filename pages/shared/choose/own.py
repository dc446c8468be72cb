"""A reader's own networks and data, beside those that ship with the project."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st

from pages.shared.choose.form import one_of
from pages.shared.choose.linked import link, linked
from pages.shared.choose.sources import Measure, PickedSource, source_card
from pages.shared.choose.zoo_command import one_of_few, zoo_command
from pages.shared.show.text import plain
from softmerge_core.data import data_files, keep_data_file
from softmerge_core.errors import CheckpointError, RunError, SoftMergeError, short
from softmerge_core.experiments.words import listed, percent, sentence
from softmerge_core.numbers import usual_spaces
from softmerge_core.settings import SoftMergeSettings
from softmerge_core.zoo import FamilyInfo, LibraryModel, library, own_families, same_kind, slug

CHOSEN, DATA = "own-models", "own-data"
WEIGHT_FILES = ["safetensors", "pt", "pth"]
MOST_FILES = 50  # worked on in one session
NOT_FINITE = (
    "It holds NaN or Inf. To merge with it among the sources, set "
    f"“{SoftMergeSettings.model_fields['non_finite'].title}” to “exclude”."
)
OTHERS = "own-others"  # families of uploads that are of another kind than the family they were uploaded at


@dataclass(frozen=True)
class Answer:
    """What came of an upload: a problem, or a notice about what was kept, or neither.

    ``asked``: for what it was worked on; what did not fit one thing may fit another.
    """

    problem: str = ""
    notice: str = ""
    asked: str = ""


@dataclass(frozen=True)
class BringOwn:
    """Sources of the reader's own, and the data file to use instead of the family's data set."""

    sources: tuple[PickedSource, ...] = ()
    dataset: str | None = None


def bring_own(family: FamilyInfo, measure: Measure | None = None) -> BringOwn:
    """A folded section with the reader's library and uploads; what cannot be used is told, never raised.

    ``measure``: as in ``source_card``.
    """
    with st.expander("Bring your own", icon=":material/upload:"):
        _upload_weights(family)
        sources = _own_models(family, measure)
        _upload_data()
        dataset = _own_data(family)
    return BringOwn(tuple(sources), dataset)


def _own_models(family: FamilyInfo, measure: Measure | None) -> list[PickedSource]:
    known = library()
    models = {name: model for name, model in known.items() if model not in family.models}
    if asked := linked(CHOSEN):
        st.session_state.setdefault(CHOSEN, asked)
    if gone := [name for name in st.session_state.get(CHOSEN, []) if name not in known]:
        what = "is no longer in your library and does" if len(gone) == 1 else "are no longer in your library and do"
        st.warning(f"{plain(listed(gone), 200)} {what} not take part.", icon=":material/delete:")
    if not models:
        st.caption("Networks you upload, train or poison are kept in your library and can be chosen here.")
        return []
    kept = [name for name in st.session_state.get(CHOSEN, []) if name in models]
    if CHOSEN in st.session_state:
        st.session_state[CHOSEN] = kept  # one may have been deleted meanwhile
    names = st.multiselect(
        "From your library",
        sorted(models, key=lambda name: not same_kind(models[name], family)),
        format_func=lambda name: _label(models[name], family),
        key=CHOSEN,
        persist_state="session",
        placeholder="Choose networks of your own",
        help="They take part beside the sources above; only Compare takes sources of several architectures.",
    )
    link(CHOSEN, names)
    cards = [source_card(f"library/{name}", models[name], measure, chosen=True) for name in names]
    return [card for card in cards if card]


def _label(model: LibraryModel, family: FamilyInfo) -> str:
    about = percent(model.accuracy.get("test")) if same_kind(model, family) else f"another kind: {model.network}"
    return usual_spaces(f"{model.title} ({about})")  # links hold it


def _upload_weights(family: FamilyInfo) -> None:
    files = st.file_uploader(
        "Weights",
        type=WEIGHT_FILES,
        accept_multiple_files=True,
        key="upload-weights",
        help="Safetensors or PyTorch state dicts of a network here or of torchvision's; choose your data first.",
    )
    dataset = st.session_state.get(DATA) or family.dataset
    known = len(library())
    for file in files:
        with st.spinner("Reading the weights"):
            asked = f"{family.network}:{dataset}"
            answer = _once(file, "weights", partial(_keep, file, family, dataset), asked)
        _tell(file.name, answer, "is in your library")
    if len(library()) > known:
        st.rerun()  # what is above offers them too
    _offer_others(family)


def _offer_others(family: FamilyInfo) -> None:
    """Say that uploads are of other kinds than ``family``, each with a button that chooses theirs."""
    known = own_families()
    for name in sorted({name for name in st.session_state.get(OTHERS, ()) if name in known} - {family.name}):
        count = len(known[name].models)
        st.info(
            f"{count} {'network' if count == 1 else 'networks'} of another kind than the family above: "
            f"{plain(known[name].title, 120)}.",
            icon=":material/category:",
        )
        st.button("Choose them", key=f"choose:{name}", on_click=_choose_family, args=(name,), help="Merge these.")


def _choose_family(name: str) -> None:
    st.session_state["family"] = name


def _keep(file: Any, family: FamilyInfo, dataset: str) -> str:
    name, finite = keep_weights(file.name, file.getvalue(), network=family.network, dataset=dataset)
    kept = library().get(name)
    if kept is None or same_kind(kept, family):
        st.session_state[CHOSEN] = [*st.session_state.get(CHOSEN, []), name]
    else:
        own = next(own for own in own_families().values() if kept in own.models)
        st.session_state[OTHERS] = {*st.session_state.get(OTHERS, ()), own.name}
    return "" if finite else NOT_FINITE


def keep_weights(file_name: str, content: bytes, *, network: str, dataset: str) -> tuple[str, bool]:
    """Keep uploaded weights in the library; returns their name there, and whether all are finite.

    They may be of any network that is known. Raises CheckpointError, which says what keeps them from being a
    ``network``, when they are of none that reads ``dataset``, and RunError while the server is busy.
    """
    title = short(Path(file_name.replace("\\", "/")).name, 120)
    stem, suffix = slug(Path(title).stem), Path(title).suffix.lower()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{stem}{suffix}"
        path.write_bytes(content)
        fields = (f"--like={network}", f"--dataset={dataset}", f"--name={stem}", f"--title={title}")
        try:
            kept = zoo_command("add", str(path), *fields, failure="the weights could not be read")
        except CheckpointError as error:
            reason = str(error).removeprefix(f"{path.name}: ").replace(str(path), title)
            expected = f"expected a {network} for {Path(dataset).name}"
            raise CheckpointError(f"{title}: {expected}: {reason}") from error
    return str(kept["name"]), bool(kept["finite"])


def _upload_data() -> None:
    file = st.file_uploader(
        "Data",
        type=["npz"],
        key="upload-data",
        help="An .npz with train_inputs, train_labels, validation_inputs and validation_labels (and test_..., if any).",
    )
    if file is not None:
        _tell(file.name, _once(file, "data", lambda: keep_data(file)), "can be chosen below")


def keep_data(file: Any) -> None:
    """Check an uploaded file of samples, keep it and choose it; raises DataError where it cannot be used."""
    with one_of_few():
        path = keep_data_file(file.getvalue(), file.name, slug(Path(file.name).stem, "data"))
    st.session_state[DATA] = str(path)


def _own_data(family: FamilyInfo) -> str | None:
    """The chosen data file, or None for the family's own data set; asks only where there is a file."""
    files = [str(path) for path in data_files()]
    if not files:
        return None
    if asked := linked(DATA):
        named = (path for path in files if Path(path).name == asked[0])
        st.session_state.setdefault(DATA, next(named, None))
    if st.session_state.get(DATA) not in [None, *files]:
        st.session_state[DATA] = None
    chosen = one_of(
        st.selectbox,
        "Samples",
        [None, *files],
        format_func=lambda path: Path(path).name if path else f"The family's own: {Path(family.dataset).name}",
        key=DATA,
        persist_state="session",
        help="On which samples the gates are trained and judged.",
    )
    link(DATA, [Path(chosen).name] if chosen else [])
    return chosen


def _once(file: Any, purpose: str, work: Callable[[], str | None], asked: str = "") -> Answer:
    """What came of an upload. Each is worked on once, and only an end is remembered: another rerun asks again.

    What was refused is worked on again when it is ``asked`` for something else.
    """
    answers: dict[str, Answer] = st.session_state.setdefault("upload-answers", {})
    key = f"{file.file_id}:{purpose}"
    known = answers.get(key)
    if known is not None and (not known.problem or known.asked == asked):
        return known
    if known is None and len(answers) >= MOST_FILES:
        return Answer(problem=f"{short(file.name)}: more than {MOST_FILES} files in one visit; load the page again")
    try:
        answers[key] = Answer(notice=work() or "", asked=asked)
    except RunError as error:
        return Answer(problem=str(error))
    except SoftMergeError as error:
        answers[key] = Answer(problem=str(error), asked=asked)
    except OSError as error:
        answers[key] = Answer(problem=f"{short(file.name)}: could not be kept ({error.strerror})", asked=asked)
    return answers[key]


def _tell(name: str, answer: Answer, success: str) -> None:
    if answer.problem:
        named = answer.problem.startswith(name[:20])  # which is spelt as it is
        problem = f"{answer.problem.rstrip('.')}." if named else sentence(answer.problem)
        st.error(plain(problem, 500), icon=":material/error:")
    else:
        st.success(f"{plain(name, 60)} {success}.", icon=":material/check:")
    if answer.notice:
        st.warning(answer.notice, icon=":material/warning:")
