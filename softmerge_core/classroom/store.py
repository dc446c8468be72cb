"""The classes of a home: a small file each, which any thread may change, one after the other.

Readers take no lock: a file is replaced whole, and read again only once it was. Who calls is told by ``who``, the
random number of a browser; of that only a token is kept.
"""

import contextlib
import os
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock, Timeout

from softmerge_core.classroom.record import (
    CODE,
    LETTERS,
    LONGEST,
    MOST_RUNS,
    MOST_STUDENTS,
    ROUNDS,
    Asked,
    Record,
    as_code,
)
from softmerge_core.errors import ClassError, SettingsError
from softmerge_core.home import write_atomic
from softmerge_core.settings import parse

MOST_CLASSES = 50
EMPTY = 1800.0  # seconds after which a class that nobody joined makes room for another one
PATIENCE = 10.0  # seconds to wait for another process that writes
LARGEST = 2**20  # bytes of a file
ENDED = "there is no class with the code {code}, or it has ended: ask your teacher for today's code"
NOT_TEACHER = "class {code}: only its teacher can do that"

Stamp = tuple[int, int, int]


class _Kept(NamedTuple):
    stamp: Stamp
    record: Record | None  # None: the file is damaged


class Classes:
    """The classes whose files lie in ``folder``, which need not exist yet."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._known: dict[str, _Kept] = {}

    def read(self, code: str) -> Record:
        """The class as it is now; raises ClassError where no class has this code, or its file is damaged."""
        code = as_code(code)
        kept = self._kept(code)
        if kept is None or (kept.record is not None and kept.record.ended(time.time())):
            raise ClassError(ENDED.format(code=code))
        if kept.record is None:
            raise ClassError(f"the file of class {code} is damaged: its teacher can open another class")
        return kept.record

    def taught_by(self, who: str) -> Record | None:
        """The class that this browser opened and that has not ended."""
        return next((record for record in self._all() if record.taught_by(who)), None)

    def joined_by(self, who: str) -> Record | None:
        """The class that this browser joined last of those that have not ended."""
        found = [record for record in self._all() if record.has(who)]
        return max(found, key=lambda record: record.students[record.token(who)], default=None)

    def may_stop(self, run_id: str, who: str) -> bool:
        """Whether the run was started in a class that this browser teaches."""
        return any(run_id in record.runs and record.taught_by(who) for record in self._all())

    def open(self, who: str) -> Record:
        """Open a class; who teaches one already gets that. Raises ClassError where there is no room for one more."""
        with self._changing():
            if (own := self.taught_by(who)) is not None:
                return own
            self._make_room()
            taken = self._codes()
            codes = ("".join(secrets.choice(LETTERS) for _ in range(CODE)) for _ in range(1000))
            code, salt = next(code for code in codes if code not in taken), secrets.token_hex(16)
            record = Record(code=code, teacher="0" * 32, salt=salt, opened=time.time())
            return self._write(record.model_copy(update={"teacher": record.token(who)}))

    def join(self, code: str, who: str) -> Record:
        """Join a class, once and for all; raises ClassError where it is full."""
        record = self.read(code)
        return record if record.has(who) else self._change(code, lambda now: _joined(now, who))

    def ask(self, code: str, who: str, asked: Asked) -> Record:
        """Ask a question; that before it, and its answers, are forgotten."""
        return self._teach(
            code, who, lambda now: {"asked": asked, "number": now.number + 1, "votes": ({},), "voting": True}
        )

    def again(self, code: str, who: str) -> Record:
        """Let the class vote a second time on the same question; raises ClassError where it has, or none was asked."""
        return self._teach(code, who, _again)

    def reveal(self, code: str, who: str) -> Record:
        """Take no more answers, and let everyone see what was answered and what is true."""
        return self._teach(code, who, lambda _: {"voting": False})

    def show(self, code: str, who: str, run_id: str) -> Record:
        """Put a run before the class, or with "" none."""
        return self._teach(code, who, lambda _: {"shown": run_id[:200]})

    def answer(self, code: str, who: str, place: tuple[int, int], value: object) -> Record:
        """Answer the question ``place``: its number, and the vote; a later answer takes the place of an earlier one.

        Raises ClassError for what is no answer, of who has not joined, and when this vote is over.
        """
        return self._change(code, lambda now: _answered(now, who, place, value))

    def add_run(self, code: str, who: str, run_id: str) -> Record:
        """Note that a student has started this run in the class."""
        return self._change(code, lambda now: _with_run(now, who, run_id))

    def end(self, code: str, who: str) -> None:
        """End a class: nothing of it is kept."""
        with self._changing():
            _must_teach(self.read(code), who)
            self._path(as_code(code)).unlink(missing_ok=True)

    def _teach(self, code: str, who: str, change: Callable[[Record], dict[str, object]]) -> Record:
        def checked(now: Record) -> Record:
            _must_teach(now, who)
            return now.model_copy(update=change(now))

        return self._change(code, checked)

    def _change(self, code: str, change: Callable[[Record], Record]) -> Record:
        with self._changing():
            old = self.read(code)
            new = change(old)
            return old if new is old else self._write(new)

    @contextlib.contextmanager
    def _changing(self) -> Iterator[None]:
        """One thread of one process at a time."""
        try:
            with self._lock:
                self.folder.mkdir(parents=True, exist_ok=True)
                with FileLock(self.folder / "lock", timeout=PATIENCE):
                    yield
        except Timeout as error:
            raise ClassError("another process holds the classes: try again") from error
        except OSError as error:
            raise ClassError(f"the class could not be written ({error.strerror or error})") from error

    def _write(self, record: Record) -> Record:
        path = self._path(record.code)
        write_atomic(path, record.model_dump_json().encode(), durable=False)
        self._known[record.code] = _Kept(_stamp(path) or (0, 0, 0), record)
        return record

    def _kept(self, code: str) -> _Kept | None:
        """What is known of a class; its file is read where another process has written it."""
        path = self._path(code)
        stamp, known = _stamp(path), self._known.get(code)
        if stamp is None:
            self._known.pop(code, None)
            return None
        if known is None or known.stamp != stamp:
            known = self._known[code] = _Kept(stamp, _read(path))
        return known

    def _all(self) -> list[Record]:
        """Every class that has not ended and whose file is sound."""
        now = time.time()
        found = (kept.record for code in self._codes() if (kept := self._kept(code)) and kept.record)
        return [record for record in found if not record.ended(now)]

    def _codes(self) -> list[str]:
        try:
            names = [Path(name).stem for name in os.listdir(self.folder) if name.endswith(".json")]
        except OSError:
            return []
        return [name for name in names if len(name) == CODE and set(name) <= set(LETTERS)]

    def _make_room(self) -> None:
        """Delete what has ended, and where that is not enough, what was opened a while ago and joined by nobody."""
        now = time.time()
        kept = {code: kept for code in self._codes() if (kept := self._kept(code))}
        for code, (stamp, record) in kept.items():
            if record.ended(now) if record else now - stamp[1] / 1e9 > LONGEST:
                self._path(code).unlink(missing_ok=True)
        if len(self._codes()) < MOST_CLASSES:
            return
        for code, (_, record) in kept.items():
            if record and not record.students and now - record.opened > EMPTY:
                self._path(code).unlink(missing_ok=True)
        if len(self._codes()) >= MOST_CLASSES:
            raise ClassError(f"expected at most {MOST_CLASSES} classes at once: one must end before another begins")

    def _path(self, code: str) -> Path:
        return self.folder / f"{code}.json"


def _stamp(path: Path) -> Stamp | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _read(path: Path) -> Record | None:
    try:
        with path.open("rb") as file:
            record: Record = parse(Record, file.read(LARGEST), path.name)
    except (OSError, SettingsError):
        return None
    return record if record.code == path.stem else None


def _must_teach(record: Record, who: str) -> None:
    if not record.taught_by(who):
        raise ClassError(NOT_TEACHER.format(code=record.code))


def _joined(record: Record, who: str) -> Record:
    if record.has(who):
        return record
    if len(record.students) >= MOST_STUDENTS:
        raise ClassError(f"class {record.code}: expected at most {MOST_STUDENTS} students, and they are there")
    return record.model_copy(update={"students": {**record.students, record.token(who): time.time()}})


def _again(record: Record) -> dict[str, object]:
    if not record.votes:
        raise ClassError(f"class {record.code}: expected a question that was asked, found none")
    if len(record.votes) >= ROUNDS:
        raise ClassError(f"class {record.code}: expected at most {ROUNDS} votes on one question")
    return {"votes": (*record.votes, {}), "voting": True}


def _answered(record: Record, who: str, place: tuple[int, int], value: object) -> Record:
    _must_have_joined(record, who)
    if record.asked is None or not record.voting or place != (record.number, record.vote):
        raise ClassError("this vote is over: the answer was not counted")
    last = {**record.votes[-1], record.token(who): record.asked.checked(value)}
    return record.model_copy(update={"votes": (*record.votes[:-1], last)})


def _with_run(record: Record, who: str, run_id: str) -> Record:
    _must_have_joined(record, who)
    if len(record.runs) >= MOST_RUNS:
        raise ClassError(f"class {record.code}: expected at most {MOST_RUNS:,} runs, and they were started")
    return record.model_copy(update={"runs": (*record.runs, run_id[:200])})


def _must_have_joined(record: Record, who: str) -> None:
    if not record.has(who):
        raise ClassError(f"class {record.code}: expected a student who has joined it")
