"""Bring data in: known data sets, folders of images, tables and data files, from wherever they lie."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from pages.models.importing import Job, start
from pages.shared.choose.form import one_of, settings_form
from pages.shared.choose.network import dataset_title
from pages.shared.show.text import plain
from softmerge_core.data import data_files, datasets
from softmerge_core.data.forms import Form, forms
from softmerge_core.data.importing import Wishes, found_place
from softmerge_core.errors import SoftMergeError
from softmerge_core.experiments.words import sentence
from softmerge_core.folder import FOLDER as FOLDER_VARIABLE
from softmerge_core.folder import server_folder
from softmerge_core.settings import parse

JOB, SHOWN = "bring:job", "bring:shown"
DOWNLOAD, FOLDER, UPLOAD = "download", "folder", "upload"
NPZ = "npz"
NPZ_ABOUT = "An .npz with train_inputs, train_labels, validation_inputs and validation_labels (and test_..., if any)."
EVERY = 0.5  # seconds between two looks at the work
LOCAL = ("localhost", "127.0.0.1", "::1")


def bring_data() -> str:
    """Ask what to bring in and do it; returns the data set that is to be shown beside, a name or a path."""
    st.header("Data", anchor=False)
    form = _pick_form()
    origin = _pick_origin(form)
    place, files = _pick_place(form, origin)
    values: dict[str, Any] = {}
    if form is not None:
        st.caption(_about(form, origin))
        values = _wishes(form)
    name = st.text_input(
        "Name", key="bring-name", placeholder=form.title if form and form.fetch else "as the file", max_chars=40,
        bind="query-params",
        help="What the data file is called; its name also gets a few letters of its hash.",
    )  # fmt: skip
    ready = origin == DOWNLOAD or bool(files) or place is not None
    _button(form, place, files, values, name.strip(), ready)
    _outcome()
    return _pick_shown()


def _pick_form() -> Form | None:
    """The form of the data; None for a data file as the app has them."""
    known = forms()
    names = [*sorted(known, key=lambda name: (known[name].fetch is None, known[name].title)), NPZ]
    name = one_of(
        st.selectbox,
        "Form",
        names,
        default="fashion_mnist",
        format_func=lambda name: known[name].title if name in known else "Data file (.npz)",
        key="bring-form",
        bind="query-params",
        persist_state="session",
        help="What the data are: a known data set, a folder of images, a table, or a data file.",
    )
    return known.get(name)


def _pick_origin(form: Form | None) -> str:
    options = [UPLOAD] if form is None else [UPLOAD, FOLDER]
    if form is not None and form.fetch is not None:
        options = [DOWNLOAD, FOLDER, UPLOAD]
    found = form is not None and found_place(form) is not None
    titles = {DOWNLOAD: "Found here" if found else "Download", FOLDER: "On the server", UPLOAD: "Upload"}
    return one_of(
        st.segmented_control,
        "Where from",
        options,
        format_func=titles.__getitem__,
        key=f"bring-from-{form.name if form else NPZ}",
        bind="query-params",
        help="Downloaded by the server, read from its disk, or sent from your machine.",
    )


def _pick_place(form: Form | None, origin: str) -> tuple[Path | None, list[Any]]:
    """(a place on the server, uploaded files); one of them at most."""
    if origin == FOLDER:
        typed = st.text_input(
            "Folder or file", key="bring-place", placeholder="/data/my-images", max_chars=1000,
            help="A path on the machine where the server runs.",
        ).strip()  # fmt: skip
        if typed and (problem := place_problem(typed)):
            st.error(plain(problem, 300), icon=":material/error:")
            return None, []
        return (Path(typed).expanduser(), []) if typed else (None, [])
    if origin == UPLOAD:
        several = form is not None and form.fetch is not None
        most = int(st.get_option("server.maxUploadSize"))
        given = st.file_uploader(
            "Files" if several else "File", type=list(form.suffixes) if form else [NPZ],
            accept_multiple_files=several, key=f"bring-upload-{form.name if form else NPZ}",
            help=f"{'All files, or one .zip of them' if several else 'One file'}; {most} MB at most. "
            + (NPZ_ABOUT if form is None else "Larger ones go on the server's disk."),
        )  # fmt: skip
        return None, given if isinstance(given, list) else [given] if given is not None else []
    return None, []


def place_problem(typed: str) -> str:
    """Why a path may not be named, or "": of a server that others can reach, only what its owner opened is read."""
    if "\0" in typed:
        return "Expected a path, got one with a zero byte."
    if str(st.get_option("server.address") or "0.0.0.0") in LOCAL:
        return ""
    opened = server_folder()
    if opened is not None and Path(typed).expanduser().resolve().is_relative_to(opened):
        return ""
    return f"This server is open to a network, and reads only what lies in the folder that {FOLDER_VARIABLE} names."


def _about(form: Form, origin: str) -> str:
    about = plain(form.about, 400)
    if origin != DOWNLOAD:
        return about
    place = found_place(form)
    if place is not None:
        return f"{about} They lie in {plain(str(place), 200)}; nothing is downloaded."
    return f"{about} About {form.megabytes} MB are downloaded once and kept."


def _wishes(form: Form) -> dict[str, Any]:
    values = settings_form(Wishes, prefix="bring-", fields=["samples", *form.uses])
    with st.expander("Splits"):
        return values | settings_form(Wishes, prefix="bring-", fields=["validation", "seed"])


def _button(
    form: Form | None, place: Path | None, files: Sequence[Any], values: dict[str, Any], name: str,
    ready: bool,
) -> None:  # fmt: skip
    job: Job | None = st.session_state.get(JOB)
    pressed = st.button(
        "Bring in",
        key="bring",
        type="primary",
        icon=":material/download:",
        disabled=not ready or (job is not None and job.running),
        help="Read, divide and normalise the data, and keep them as one data file that all pages offer.",
    )
    if not pressed or not ready or (job is not None and job.running):
        return
    try:
        wishes = parse(Wishes, values, "data")
    except SoftMergeError as error:
        st.error(plain(sentence(str(error)), 500), icon=":material/error:")
        return
    st.session_state[JOB] = start(form, place, [(file.name, file.getvalue()) for file in files], wishes, name)
    st.rerun()


def _outcome() -> None:
    """How the work is going, looked at again and again; or what came of it."""
    job: Job | None = st.session_state.get(JOB)
    if job is None:
        return
    if job.running:
        st.fragment(_progress, run_every=EVERY)(job)
    elif job.problem:
        st.error(plain(sentence(job.problem), 900), icon=":material/error:")
    elif job.path:
        st.success(f"{plain(job.title)} is kept: every page offers it.", icon=":material/check:")
        if st.session_state.get(f"{JOB}:told") != job.path:
            st.session_state[f"{JOB}:told"] = st.session_state[SHOWN] = job.path


def _progress(job: Job) -> None:
    if not job.running:
        st.rerun()
    st.progress(min(1.0, job.share or 0.0), text=plain(job.said, 100))
    st.button("Stop", key="bring-stop", on_click=job.stop.set, help="End the work; nothing is kept.")


def _pick_shown() -> str:
    """The data set that is shown beside: the one that came in last, or another."""
    names = [*map(str, data_files()), *datasets()]
    if st.session_state.get(SHOWN) not in [None, *names]:
        del st.session_state[SHOWN]
    return one_of(
        st.selectbox,
        "Look at",
        names,
        default=next(iter(datasets())),
        format_func=dataset_title,
        key=SHOWN,
        bind="query-params",
        persist_state="session",
        help="The data set or data file of which a few samples are shown.",
    )
