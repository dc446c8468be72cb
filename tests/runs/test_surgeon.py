"""The process that holds runs open for surgery: it answers, refuses in words, and is there again after its end."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from softmerge_core.errors import RunError, SettingsError
from softmerge_core.experiments.merge.spec import small
from softmerge_core.merging.forced import Forced
from softmerge_core.runs import surgery_process
from softmerge_core.runs.store import EXAMPLES, RunStore
from softmerge_core.runs.surgeon import Surgeon
from softmerge_core.runs.surgery_process import OpenRuns

RUN, OTHER = EXAMPLES / "more-few-labels", EXAMPLES / "more-poisoned"
OPEN = [Forced(first=0, last=3, source=0, to="open")]


@pytest.fixture
def surgeon() -> Iterator[Surgeon]:
    made = Surgeon(module="tests.runs.answering")
    yield made
    made.close()


@pytest.mark.usefixtures("warm_python")
def test_the_process_answers_and_refuses_in_words() -> None:
    surgeon = Surgeon()
    told, found = surgeon.opened(RUN), surgeon.forced(RUN, OPEN)
    assert found["mark"] == told["mark"]
    assert found["scores"]["validation"] != told["scores"]["learned"]["validation"]
    with pytest.raises(SettingsError, match="would be shut"):
        surgeon.forced(RUN, [Forced(first=0, last=0, source=k, to="shut") for k in range(3)])
    with pytest.raises(SettingsError, match="expected a merge"):
        surgeon.opened(EXAMPLES / "first-path")
    surgeon.close()


def test_one_process_answers_all_and_is_started_again_after_its_end(surgeon: Surgeon) -> None:
    first, second = (surgeon.opened(Path(name))["process"] for name in ("a", "tired"))
    third = surgeon.opened(Path("b"))["process"]
    assert first == second != third
    with pytest.raises(SettingsError, match="no such run"):
        surgeon.opened(Path("refused"))
    assert surgeon.opened(Path("c"))["process"] == third


def test_what_kills_the_process_is_asked_once(surgeon: Surgeon) -> None:
    with pytest.raises(RunError, match="has died"):
        surgeon.opened(Path("dies"))
    assert surgeon.opened(Path("a"))["what"] == "open"


def test_who_would_wait_too_long_is_told_so(surgeon: Surgeon) -> None:
    surgeon.patience = 0.01
    with surgeon._turn, pytest.raises(RunError, match="try again in a moment"):
        surgeon.opened(Path("a"))


def test_an_answer_that_takes_too_long_is_given_up_and_others_are_answered(surgeon: Surgeon) -> None:
    surgeon.limit = 0.2
    with pytest.raises(RunError, match="no answer within"):
        surgeon.opened(Path("slow"))
    surgeon.limit = 60.0
    assert surgeon.opened(Path("a"))["what"] == "open"


def test_many_sessions_get_each_their_own_answer(surgeon: Surgeon) -> None:
    found: dict[int, int] = {}

    def ask(part: int) -> None:
        answer = surgeon.forced(Path("a"), [Forced(first=0, last=part, source=0, to="open")])
        found[part] = answer["forced"][0]["last"]

    threads = [threading.Thread(target=ask, args=(part,)) for part in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {part: part for part in range(30)}


def test_of_too_many_open_runs_the_oldest_are_closed() -> None:
    runs = OpenRuns(room=1)
    first = runs.answer({"what": "open", "folder": str(RUN)})
    runs.answer({"what": "open", "folder": str(OTHER)})
    assert [key[0] for key in runs.known] == [str(OTHER)]
    assert runs.answer({"what": "open", "folder": str(RUN)}) == first


def test_a_run_that_waits_or_goes_on_is_refused(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    folder = store.folder(store.create(small()))
    with pytest.raises(RunError, match="this run is waiting: its gates can be forced once it is paused or has ended"):
        OpenRuns().answer({"what": "open", "folder": str(folder)})


def test_what_nobody_foresaw_is_told_and_ends_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert "cannot be opened" in surgery_process._answer(OpenRuns(), "{}\n")["error"]
    assert "KeyError" in capsys.readouterr().err
