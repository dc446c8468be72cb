"""What a class costs the server.

Students are WebSocket clients without browsers (``tests/browser/visitor.py``), which do what a phone does: they join by
the link, ask for news every two seconds, answer by slider or choice, and now and then fork the run that the teacher
shows, start it and watch it for a while. A teacher asks, lets the class vote again, and reveals. An interaction is a
page that is opened or a press, from the request until the page is through; a poll is a request for news. Memory is that
of the server without its workers: after the first minute, by when all have joined, and at the end.
"""

import hashlib
import random
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from streamlit.proto.WidgetStates_pb2 import WidgetState

from benchmarks.base import Benchmark
from benchmarks.tables import Table
from benchmarks.visitors import share
from pages.classroom.student import ANSWER, SEND, UNANSWERED
from softmerge_core.classroom import Classes
from softmerge_core.errors import SoftMergeError
from softmerge_core.experiments.merge.spec import small
from softmerge_core.runs import RunStore
from softmerge_core.runs.writer import conduct
from tests.browser.server import ROOT, Server
from tests.browser.visitor import Visitor

ROUND = 25.0  # seconds between a teacher's questions
WATCHED = 20.0  # seconds for which a student watches their own run
FORKS = 0.1  # of the moments in which a student who has answered has nothing to do
WARM = 60.0  # seconds after which memory is first looked at
TEACHER = b"the teacher of the class"
WANTED, GROWN = 1.0, 5.0  # seconds and percent: what is wanted of interactions (95 %) and of memory


class Times:
    """How long everything took, in seconds by what it was, and what went wrong."""

    def __init__(self) -> None:
        self.taken: dict[str, list[float]] = {}
        self.errors: list[str] = []
        self._lock = threading.Lock()

    @contextmanager
    def of(self, what: str) -> Iterator[None]:
        """Time a block."""
        begun = time.monotonic()
        yield
        with self._lock:
            self.taken.setdefault(what, []).append(time.monotonic() - begun)

    def fail(self, text: str) -> None:
        """Note what went wrong."""
        with self._lock:
            self.errors.append(text)

    def all(self, *, polls: bool) -> list[float]:
        """Every time of polls or of interactions, sorted."""
        return sorted(each for what, times in self.taken.items() for each in times if what.startswith("poll") is polls)


class Class:
    """A class on a server: who is in it goes by threads, each with a client of its own, until ``end``."""

    def __init__(self, address: str, home: Path, minutes: float) -> None:
        self.address, self.times, self.runs = address, Times(), 0
        self.end = time.monotonic() + 60 * minutes
        self.classes, self.who = Classes(home / "classes"), hashlib.sha256(TEACHER).hexdigest()
        self.store = RunStore(home / "runs")
        self.code = ""

    def left(self) -> bool:
        """Whether there is time left."""
        return time.monotonic() < self.end

    def open(self, teacher: Visitor) -> None:
        """Open the class, and show a run that is quickly merged."""
        with self.times.of("teacher opens"):
            teacher.open("classroom")
        with self.times.of("teacher presses"):
            teacher.press("class-open-it")
        found = self.classes.taught_by(self.who)
        assert found is not None, "the class was not opened"
        self.code = found.code
        shown = self.store.create(small())
        conduct(self.store.folder(shown))
        self.classes.show(self.code, self.who, shown)

    def teach(self, teacher: Visitor) -> None:
        """Ask, vote again, reveal, until the time is over."""
        while self.left():
            for key in ("class-ask-it", "class-again", "class-reveal"):
                with self.times.of("teacher presses"):
                    teacher.press(key)
                self.poll(teacher, ROUND / 3)

    def study(self, number: int) -> None:
        """What one student does; what goes wrong is noted."""
        chance = random.Random(number)
        try:
            with Visitor(self.address, b"student %d of the class" % number) as student:
                while self.left():
                    self.attend(student, chance)
                    if self.left():
                        self.fork(student, chance)
                for text in student.errors:
                    self.times.fail(text)
        except Exception as error:
            lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__)]
            self.times.fail(f"{type(error).__name__}: {error} (lines {lines})")

    def attend(self, student: Visitor, chance: random.Random) -> None:
        """Join by the link, and answer every vote; returns when this student wants to try something."""
        with self.times.of("student joins"):
            student.open("classroom", f"code={self.code}")
        while self.left():
            self.poll(student, chance.uniform(2, 8))
            asked = next((name for name in student.widgets if name.endswith(f"-{ANSWER}")), "")
            if asked and any(text.startswith(UNANSWERED) for text in student.texts):
                self.answer(student, asked, chance)
            elif chance.random() < FORKS and any(name.endswith("-class-fork-run") for name in student.widgets):
                return

    def answer(self, student: Visitor, name: str, chance: random.Random) -> None:
        """Give any answer."""
        kind, element = student.widgets[name]
        state = WidgetState(id=name)
        if kind == "slider":
            steps = int((element.max - element.min) / element.step)
            state.double_array_value.data.append(element.min + element.step * chance.randint(0, steps))
            with self.times.of("student moves the slider"):
                student.change(state)
            if any(each.endswith(f"-{SEND}") for each in student.widgets):  # else the vote ended meanwhile
                with self.times.of("student answers"):
                    student.press(SEND)
            return
        state.int_value = chance.randrange(len(element.options))
        with self.times.of("student answers"):
            student.change(state)

    def fork(self, student: Visitor, chance: random.Random) -> None:
        """Fork the run that is shown, start it, and watch it."""
        with self.times.of("student forks"):
            student.press("class-fork-run")
        start = next(
            name for name, (kind, element) in student.widgets.items()
            if kind == "button" and element.label == "Start merging"
        )  # fmt: skip
        with self.times.of("student starts a run"):
            student.change(WidgetState(id=start, trigger_value=True))
        self.runs += 1
        self.poll(student, WATCHED, "poll of a run")

    def poll(self, visitor: Visitor, seconds: float, what: str = "poll of the class") -> None:
        """Ask for news as often as the page wants it, for so many seconds."""
        end = min(time.monotonic() + seconds, self.end)
        while time.monotonic() < end:
            fragment, every = next(iter(visitor.polled.items()), ("", 1.0))
            time.sleep(max(0.0, min(every, end - time.monotonic())))
            if fragment:
                with self.times.of(what):
                    visitor.change(fragment=fragment)


def tables(device: str, *, minutes: float = 10.0, students: int = 30) -> Iterator[Table | str]:
    """Yield the tables: ``students`` beside a teacher, for so many ``minutes``."""
    with tempfile.TemporaryDirectory() as home, Server(ROOT / "app.py", Path(home)) as started:
        server = psutil.Process(started._process.pid)
        with Visitor(started.address, TEACHER) as teacher:
            group = Class(started.address, Path(home), minutes)
            group.open(teacher)
            warm, grown = held(group, teacher, server, students)
        yield Table(("what", "times", "median, s", "95 %, s", "longest, s"), rows(group.times))
        ended = [run.status for run in group.store.list()]
        yield f"{group.runs} runs were started; {ended.count('finished')} of {len(ended)} finished."
        yield verdict(group.times, warm, grown)


def held(group: Class, teacher: Visitor, server: psutil.Process, students: int) -> tuple[float, float]:
    """Hold the class; returns the memory of the server in MB when it was warm and at the end."""
    threads = [threading.Thread(target=group.study, args=(number,)) for number in range(students)]
    warm: list[float] = []
    timer = threading.Timer(min(WARM, (group.end - time.monotonic()) / 2), lambda: warm.append(memory(server)))
    for thread in (*threads, timer):
        thread.start()
    try:
        group.teach(teacher)
        for text in teacher.errors:
            group.times.fail(text)
    except (SoftMergeError, OSError, StopIteration) as error:
        group.times.fail(f"teacher: {type(error).__name__}: {error}")
    for thread in (*threads, timer):
        thread.join()
    return warm[0], memory(server)


def memory(server: psutil.Process) -> float:
    """The memory in MB that the server itself holds."""
    return float(server.memory_info().rss) / 2**20


def rows(times: Times) -> Iterator[list[str]]:
    """A row for each kind of request, then one for all interactions."""
    kinds: list[tuple[str, list[float]]] = [(what, sorted(taken)) for what, taken in sorted(times.taken.items())]
    for what, taken in (*kinds, ("all interactions", times.all(polls=False))):
        yield [what, str(len(taken)), *(f"{each:.2f}" for each in (share(taken, 0.5), share(taken, 0.95), taken[-1]))]


def verdict(times: Times, warm: float, grown: float) -> str:
    """What was wanted, and whether it was reached."""
    late = share(times.all(polls=False), 0.95)
    more = 100 * (grown / warm - 1)
    reached: Callable[[bool], str] = lambda well: "reached" if well else "missed"  # noqa: E731
    errors = "; ".join(dict.fromkeys(times.errors))[:500]
    return (
        f"95 % of interactions within {late:.2f} s (wanted {WANTED:g}: {reached(late <= WANTED)}). "
        f"{len(times.errors)} errors (wanted 0: {reached(not times.errors)}){f': {errors}' if errors else ''}. "
        f"Memory of the server from {warm:.0f} to {grown:.0f} MB, {more:+.1f} % "
        f"(wanted below {GROWN:g}: {reached(more < GROWN)})."
    )


BENCHMARK = Benchmark(name="classroom", title="What a class costs the server", minutes=11, tables=tables,
                      peers=("streamlit",))  # fmt: skip

if __name__ == "__main__":
    BENCHMARK.main()
