"""What is wrong with the record of a run, told on its page, and a page that goes on whatever it holds."""

import logging
from collections.abc import Callable
from typing import TypeVar

import streamlit as st

from pages.shared.runs.reader import RunReader
from pages.shared.show.text import plain
from softmerge_core.experiments.words import plural, sentence

Made = TypeVar("Made")
CANNOT = "This cannot be shown: what the run wrote down does not fit together."

logger = logging.getLogger(__name__)


def tell_record(reader: RunReader) -> None:
    """Draw a warning about a damaged result, and one about lines of the log that were left out."""
    if reader.view.harm:
        st.warning(plain(sentence(reader.view.harm), 400), icon=":material/broken_image:")
    if reader.damaged:
        lines = plural(reader.damaged, "line")
        told = f"{lines} of this run's log could not be read and {'was' if reader.damaged == 1 else 'were'} left out."
        st.warning(told, icon=":material/broken_image:")


def whatever_it_holds(reader: RunReader, what: str, make: Callable[[], Made]) -> Made | None:
    """What ``make`` gives; None where the record of the run holds what it cannot be made from.

    Each file and each event is checked when it is read, but not whether all of them fit together. That is told once
    in the server's log, with ``what`` could not be made; ``reader.unmade`` remembers it for the page.
    """
    try:
        made = make()
    except Exception as error:
        if what not in reader.unmade:
            logger.warning("run %s: %s cannot be shown: %s: %.300s", reader.run_id, what, type(error).__name__, error)
        reader.unmade.add(what)
        return None
    reader.unmade.discard(what)
    return made
