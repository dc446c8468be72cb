"""Uploaded files: each is worked on once in a visit, and what came of it is told."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st

from pages.shared.show.text import plain
from softmerge_core.errors import RunError, SoftMergeError, short
from softmerge_core.experiments.words import sentence

MOST_FILES = 50  # worked on in one session


@dataclass(frozen=True)
class Answer:
    """What came of an upload: a problem, or a notice about what was kept, or neither.

    ``asked``: for what it was worked on; what did not fit one thing may fit another.
    """

    problem: str = ""
    notice: str = ""
    asked: str = ""


def once(file: Any, purpose: str, work: Callable[[], str | None], asked: str = "") -> Answer:
    """Return what came of an upload. Each is worked on once, and only an end is remembered: another rerun asks again.

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


def tell(name: str, answer: Answer, success: str) -> None:
    """Say what came of an upload: its problem, or that ``name`` with ``success`` behind it; and its notice."""
    if answer.problem:
        named = answer.problem.startswith(name[:20])  # which is spelt as it is
        problem = f"{answer.problem.rstrip('.')}." if named else sentence(answer.problem)
        st.error(plain(problem, 500), icon=":material/error:")
    else:
        st.success(f"{plain(name, 60)} {success}.", icon=":material/check:")
    if answer.notice:
        st.warning(answer.notice, icon=":material/warning:")
