"""Choosing a data set, and a network that can take its samples, for training from random weights."""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from pages.shared.choose.form import one_of
from softmerge_core.data import data_files, datasets
from softmerge_core.errors import SoftMergeError
from softmerge_core.experiments.admission import data_shape
from softmerge_core.networks import fits, network_names
from softmerge_core.settings import DataSpec


def dataset_title(dataset: str) -> str:
    """A data set's title, or the name of its file."""
    known = datasets().get(dataset)
    return known.title if known else Path(dataset).name


def pick_dataset(key: str, help: str, *, default: str | None = None) -> str:
    """A built-in data set, or a file the reader has uploaded."""
    names = [*datasets(), *map(str, data_files())]
    forget(key, names)
    return str(
        one_of(
            st.selectbox,
            "Data set",
            names,
            default=default,
            format_func=dataset_title,
            key=key,
            bind="query-params",
            persist_state="session",
            help=help,
        )
    )


def pick_network(dataset: str, key: str, *, default: str | None = None) -> str:
    """An architecture that can take the data set's samples."""
    names = fitting(dataset)
    forget(key, names)
    return str(
        one_of(
            st.selectbox,
            "Network",
            names,
            default=default,
            key=key,
            bind="query-params",
            persist_state="session",
            help="The architecture; those that can take this data set's samples.",
        )
    )


def fitting(dataset: str) -> list[str]:
    """The built-in networks that can take the samples of ``dataset``."""
    try:
        shape, classes = data_shape(DataSpec(dataset=dataset))
    except SoftMergeError:
        return []
    return [name for name in network_names() if fits(name, shape, classes)]


def forget(key: str, options: Sequence[str]) -> None:
    """Drop a remembered choice that is no longer among the options."""
    if st.session_state.get(key) not in [None, *options]:
        del st.session_state[key]
