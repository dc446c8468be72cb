"""Weights files of a reader's own, uploaded or from the server's folder: each is judged, and told by its layer."""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from pages.shared.choose.uploads import MOST_FILES
from pages.shared.show.text import html_table, plain
from softmerge_core.errors import RunError, SoftMergeError, short
from softmerge_core.experiments.words import clipped, plural, sentence
from softmerge_core.folder import FOLDER, server_folder
from softmerge_core.networks.registration import problems
from softmerge_core.numbers import usual_spaces
from softmerge_core.settings import SoftMergeSettings
from softmerge_core.zoo import Asked, FamilyInfo, FileAsked, Verdict, own_families, slug, take_in
from softmerge_core.zoo.intake import offered, offered_file
from softmerge_core.zoo.verdicts import remarks, what_it_is

FILE_TYPES = ["safetensors", "pt", "pth", "bin", "ckpt", "pkl"]
TOLD = "own-verdicts"  # of this visit: (file, what was asked) -> Verdict
ADDED = "own-folder-told"  # verdicts on what was last added from the folder
HEAD = ("File", "What it is", "Fits", "The layer that does not, or what is odd")
NOT_FINITE = (
    "Some hold NaN or Inf. To merge with them among the sources, set "
    f"“{SoftMergeSettings.model_fields['non_finite'].title}” to “exclude”."
)


def bring_weights(dataset: str, like: str = "") -> tuple[list[Verdict], list[str]]:
    """Uploads and files of the server's folder, judged for ``dataset``, with a line a file in a table.

    ``like``: the network that a file of no known one is compared with. Returns the verdicts that are shown, and the
    names in the library of what has just been kept: it was not there when what is above was drawn.
    """
    for problem in problems():
        st.warning(f"Networks of your own: {plain(problem, 400)}", icon=":material/warning:")
    shown, now = _uploads(dataset, like)
    added, then = _from_folder(dataset, like)
    _tell([*shown, *added])
    return [*shown, *added], [verdict.model for verdict in (*now, *then) if verdict.model]


def families_of(verdicts: Sequence[Verdict]) -> list[FamilyInfo]:
    """The families of one's own to which what was kept belongs, in the order of the files."""
    known = own_families().values()
    names = [verdict.model for verdict in verdicts if verdict.model]
    found = [family for name in names for family in known if any(model.name == name for model in family.models)]
    return list({family.name: family for family in found}.values())


def family_text(family: FamilyInfo) -> str:
    """A family as the address and the list of families name it."""
    return usual_spaces(clipped(family.title, 120))


def _uploads(dataset: str, like: str) -> tuple[list[Verdict], list[Verdict]]:
    """(the verdicts on what is uploaded, those of them that are new)."""
    most = int(st.get_option("server.maxUploadSize"))
    more = "" if server_folder() else f"; from a folder of this machine none need be, if {FOLDER} or --folder names it"
    files = st.file_uploader(
        "Weights",
        type=FILE_TYPES,
        accept_multiple_files=True,
        key="upload-weights",
        help="Safetensors or PyTorch state dicts of a network here, of torchvision's or of your own, up to "
        f"{most} MB each (--server.maxUploadSize allows more){more}.",
    )
    known: dict[tuple[str, str], Verdict] = st.session_state.setdefault(TOLD, {})
    asked = f"{like}:{dataset}"
    new = [file for file in files if not _is_told(known, file.file_id, asked)][: max(0, MOST_FILES - len(known))]
    verdicts: list[Verdict] = []
    if new:
        with tempfile.TemporaryDirectory(prefix="softmerge-") as folder:
            names = [file.name for file in new]
            verdicts = _judged(dataset, like, names, lambda: [_written(file, Path(folder)) for file in new])
        known |= {(file.file_id, asked): verdict for file, verdict in zip(new, verdicts, strict=False)}
    if len(known) >= MOST_FILES:
        st.warning(f"More than {MOST_FILES} files in one visit: load the page again.", icon=":material/warning:")
    told = [file.file_id for file in files if any(key[0] == file.file_id for key in known)]
    return [_newest(known, file) for file in told], verdicts


def _is_told(known: dict[tuple[str, str], Verdict], file: str, asked: str) -> bool:
    """Whether a file was judged: what was kept stays so, and what was not may fit what is ``asked`` now."""
    return (file, asked) in known or any(key[0] == file and verdict.fits for key, verdict in known.items())


def _newest(known: dict[tuple[str, str], Verdict], file: str) -> Verdict:
    return [verdict for key, verdict in known.items() if key[0] == file][-1]


def _written(file: Any, folder: Path) -> FileAsked:
    """An uploaded file in a folder of its own, by a name made of its own."""
    title = short(Path(file.name.replace("\\", "/")).name, 120)
    place = Path(tempfile.mkdtemp(dir=folder)) / f"{slug(Path(title).stem)}{Path(title).suffix.lower()}"
    place.write_bytes(file.getvalue())
    return FileAsked(path=place, title=title, name=slug(Path(title).stem))


def _from_folder(dataset: str, like: str) -> tuple[list[Verdict], list[Verdict]]:
    """The same for what was last added from the server's folder; nothing is drawn where there is none."""
    if server_folder() is None:
        return [], []
    labels = offered()
    if not labels:
        st.caption("The server's folder holds no weights files.")
        return [], []
    chosen = st.multiselect(
        "From the server's folder",
        labels,
        format_func=lambda label: clipped(label, 120),
        key="own-folder",
        placeholder="Choose weights files",
        help="Files that lie on this machine, by their place in the folder the app was started with; none is uploaded.",
    )
    verdicts: list[Verdict] = []
    if st.button("Add", key="own-folder-add", icon=":material/add:", disabled=not chosen, help="Into your library."):
        verdicts = _judged(dataset, like, chosen, lambda: [offered_file(label) for label in chosen])
        st.session_state[ADDED] = verdicts or st.session_state.get(ADDED, [])
    return list(st.session_state.get(ADDED, [])), verdicts


def _judged(dataset: str, like: str, names: Sequence[str], files: Callable[[], list[FileAsked]]) -> list[Verdict]:
    """The verdicts on files, of which those that fit are kept; none while the server is busy, and that is told."""
    try:
        with st.spinner("Reading the weights"):
            return take_in(Asked(files=tuple(files()), dataset=dataset, keep=True, like=like))
    except RunError as error:
        st.error(plain(sentence(str(error)), 500), icon=":material/error:")
        return []
    except SoftMergeError as error:
        problem = str(error)
    except OSError as error:
        problem = f"could not be kept ({error.strerror})"
    return [Verdict(file=short(name, 120), problem=problem) for name in names]


def _tell(verdicts: Sequence[Verdict]) -> None:
    """One sentence and a table with a line a file."""
    if not verdicts:
        return
    kept = sum(verdict.fits for verdict in verdicts)
    if kept == len(verdicts):
        all_of = "It fits and is" if kept == 1 else f"All {kept} files fit and are"
        st.success(f"{all_of} in your library.", icon=":material/check:")
    else:
        one = len(verdicts) == 1
        said = "The file does not fit" if one else f"{kept} of {plural(len(verdicts), 'file')} fit"
        st.error(f"{said}: the table says why.", icon=":material/error:")
    rows = [
        (clipped(verdict.file, 60), what_it_is(verdict), "yes" if verdict.fits else "no", remarks(verdict))
        for verdict in verdicts
    ]
    st.html(f'<div class="sm-files">{html_table(HEAD, rows)}</div>')
    if not all(verdict.finite for verdict in verdicts):
        st.warning(NOT_FINITE, icon=":material/warning:")
