"""The index of all runs: one row each in a database beside their folders, for pages that list thousands of them.

The folders alone are true. A row is made anew when its folder has changed, and all of them when the database is
missing, damaged or of another version, so it can be deleted at any time.
"""

import contextlib
import json
import os
import sqlite3
import threading
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from softmerge_core.errors import SoftMergeError
from softmerge_core.experiments import Spec, parse_spec
from softmerge_core.experiments.describe import what_made
from softmerge_core.runs.labels import SWEEP_TAG as TAG
from softmerge_core.runs.labels import read_labels
from softmerge_core.runs.status import ENDED, Status
from softmerge_core.runs.store import described

FILE = "index.sqlite"  # after the name of the folder of runs, beside which it lies
VERSION = 1
TICK = 10**8  # nanoseconds: a file system may give two changes that are nearer than this one and the same time
PATIENCE = 10.0  # seconds to wait for another thread or process that writes
NO_POINT = f"instr(tags, '\"{TAG}') = 0"  # no tag begins like that of a sweep
COLUMNS = "id, kind, name, status, created, message, made, tags, spec"
TABLE = """
CREATE TABLE runs (id TEXT PRIMARY KEY, stamp INTEGER, settled INTEGER, problem TEXT, kind TEXT, name TEXT, status TEXT,
    created TEXT, message TEXT, made TEXT, tags TEXT, spec TEXT, words TEXT);
CREATE INDEX newest ON runs (created DESC, id DESC);
"""


@dataclass(frozen=True)
class IndexedRun:
    """A run in one row. ``made``: its networks, data and unusual settings in words; ``message``: how it ended."""

    id: str
    kind: str
    name: str
    status: Status
    created: datetime
    message: str
    made: str
    tags: tuple[str, ...]
    _spec: str

    @property
    def spec(self) -> Spec:
        """The settings of the run."""
        return parse_spec(json.loads(self._spec))


class RunIndex:
    """The index of the runs in the folders of ``root``."""

    def __init__(self, root: Path) -> None:
        self.root, self.path = root, root.with_name(f"{root.name}.{FILE}")
        self._memory: sqlite3.Connection | None = None
        self._lock = threading.RLock()
        self._seen = -1  # when a folder last came or went, at the last look at all of them

    def refresh(self) -> int:
        """Take over what has changed in the folders since; returns how many rows were made anew or dropped.

        Where the disk takes no more, the index is in memory from then on.
        """
        try:
            return self._refresh()
        except sqlite3.OperationalError:
            if self._memory:
                raise
            self._in_memory()
            return self._refresh()

    def _refresh(self) -> int:
        with self._open() as base:
            known = {row[0]: (row[1], row[2]) for row in base.execute("SELECT id, stamp, settled FROM runs")}
            there = dict(_stamps(self.root))
            gone = [(run_id,) for run_id in known if run_id not in there]
            new = [run_id for run_id, stamp in there.items() if known.get(run_id) != (stamp, 1)]
            rows = [_row(self.root / run_id, there[run_id]) for run_id in new]
            base.executemany("DELETE FROM runs WHERE id = ?", gone)
            base.executemany(f"INSERT OR REPLACE INTO runs VALUES ({', '.join('?' * 13)})", rows)
        return len(gone) + len(new)

    def unended(self, kind: str, most: int) -> list[str]:
        """Return the ids of the newest runs of a kind that have not ended, as far as was known at the last change.

        Points of sweeps are left out.

        Reads nothing of any run unless one has come or gone since.
        """
        try:
            changed = self.root.stat().st_mtime_ns
        except OSError:  # no run has been made yet
            return []
        if changed != self._seen:
            self.refresh()
            self._seen = changed if time.time_ns() - changed > TICK else -1
        ended = ", ".join(f"'{status}'" for status in ENDED)
        asked = f"WHERE problem = '' AND kind = ? AND status NOT IN ({ended}) AND {NO_POINT}"
        newest = f"ORDER BY created DESC, id DESC LIMIT {most}"
        with self._open() as base:
            return [run_id for (run_id,) in base.execute(f"SELECT id FROM runs {asked} {newest}", [kind])]

    def find(
        self,
        words: str = "",
        *,
        kinds: Collection[str] = (),
        states: Collection[str] = (),
        tags: Collection[str] = (),
        points: bool = True,
        most: int | None = None,
    ) -> list[IndexedRun]:
        """Return the runs that have all ``words``, one of ``kinds`` and ``states``, and all ``tags``, newest first.

        Each word may begin or lie anywhere in the name, what the run was made from, its outcome, tags or kind; letters
        large and small are one. What is empty excludes nothing. Without ``points`` runs that carry the tag of a sweep
        are left out.
        """
        asked, values = ["problem = ''"], list[str]()
        for word in words.casefold().split():
            asked, values = [*asked, "instr(words, ?)"], [*values, word]
        for column, chosen in (("kind", kinds), ("status", states)):
            if chosen:
                asked.append(f"{column} IN ({', '.join('?' * len(chosen))})")
                values += chosen
        for tag in tags:
            asked, values = [*asked, "instr(tags, ?)"], [*values, json.dumps(tag)]
        if not points:
            asked.append(NO_POINT)
        order = f"ORDER BY created DESC, id DESC LIMIT {-1 if most is None else most}"
        return self._runs(f"WHERE {' AND '.join(asked)} {order}", values)

    def count(self) -> int:
        """Return how many runs there are."""
        with self._open() as base:
            return int(base.execute("SELECT count(*) FROM runs WHERE problem = ''").fetchone()[0])

    def get(self, ids: Collection[str]) -> list[IndexedRun]:
        """Return these runs, as far as they are there, in this order."""
        found = {run.id: run for run in self._runs(f"WHERE problem = '' AND id IN ({_marks(ids)})", list(ids))}
        return [found[run_id] for run_id in ids if run_id in found]

    def before(self, run: IndexedRun) -> IndexedRun | None:
        """Return the newest run of the same kind that is older than ``run``."""
        asked = "WHERE problem = '' AND kind = ? AND (created, id) < (?, ?) ORDER BY created DESC, id DESC LIMIT 1"
        return next(iter(self._runs(asked, [run.kind, run.created.isoformat(), run.id])), None)

    def tags(self) -> list[str]:
        """Return all tags there are, by name."""
        with self._open() as base:
            rows = base.execute("SELECT DISTINCT tags FROM runs WHERE tags != '[]' AND problem = ''").fetchall()
        return sorted({tag for (text,) in rows for tag in json.loads(text)}, key=str.casefold)

    def problems(self) -> list[tuple[str, str]]:
        """Return (id, reason) of the folders that cannot be read as runs."""
        with self._open() as base:
            return base.execute("SELECT id, problem FROM runs WHERE problem != '' ORDER BY id").fetchall()

    def _runs(self, asked: str, values: list[str]) -> list[IndexedRun]:
        with self._open() as base:
            rows = base.execute(f"SELECT {COLUMNS} FROM runs {asked}", values).fetchall()
        return [_run(row) for row in rows]

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """A connection whose changes are kept at the end; a database that is no good is made afresh."""
        with self._lock if self._memory else contextlib.nullcontext():
            base = self._memory or self._connected()
            try:
                with base:
                    yield base
            finally:
                if base is not self._memory:
                    base.close()

    def _connected(self) -> sqlite3.Connection:
        with contextlib.suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            return _prepared(self.path)
        except sqlite3.DatabaseError:  # damaged, or no database
            with contextlib.suppress(OSError):
                self.path.unlink()
        try:
            return _prepared(self.path)
        except sqlite3.DatabaseError:  # nothing can be written there
            return self._in_memory()

    def _in_memory(self) -> sqlite3.Connection:
        """From now on keep the index in memory."""
        self._memory = self._memory or _prepared(":memory:")
        return self._memory


def _prepared(place: Path | str) -> sqlite3.Connection:
    """A connection to the database, with its table empty where it is new or of another version."""
    base = sqlite3.connect(place, timeout=PATIENCE, check_same_thread=False)  # the one in memory has a lock
    try:
        if base.execute("PRAGMA user_version").fetchone()[0] != VERSION:
            base.executescript(
                f"BEGIN IMMEDIATE; DROP TABLE IF EXISTS runs; {TABLE} PRAGMA user_version = {VERSION}; COMMIT;"
            )
    except BaseException:
        base.close()
        raise
    return base


def _stamps(root: Path) -> Iterator[tuple[str, int]]:
    """The name of each folder of ``root`` that may be a run, and when a file in it was last made, moved or replaced."""
    try:
        with os.scandir(root) as entries:
            for entry in entries:
                with contextlib.suppress(OSError):  # it was deleted meanwhile
                    if not entry.name.startswith(".") and entry.is_dir():
                        yield entry.name, entry.stat().st_mtime_ns
    except OSError:
        return


def _row(folder: Path, stamp: int) -> tuple[object, ...]:
    """The row of a folder; of one that cannot be read as a run it tells the problem."""
    name = folder.name.encode(errors="backslashreplace").decode()
    try:
        (run, spec), labels = described(folder), read_labels(folder)
    except (SoftMergeError, OSError) as error:
        return name, stamp, int(time.time_ns() - stamp > TICK), str(error) or "it cannot be read", *[""] * 9
    title, made, tags = labels.name or run.name, what_made(spec), json.dumps(labels.tags)
    settled = run.status in ENDED and time.time_ns() - stamp > TICK
    said = (title, made, run.message, run.kind, run.status, *labels.tags)
    known = (run.kind, title, run.status, run.created.isoformat(), run.message, made, tags, spec.model_dump_json())
    return name, stamp, int(settled), "", *known, "\n".join(said).casefold()


def _run(row: tuple[str, ...]) -> IndexedRun:
    run_id, kind, name, status, created, message, made, tags, spec = row
    when = datetime.fromisoformat(created)
    return IndexedRun(run_id, kind, name, status, when, message, made, tuple(json.loads(tags)), spec)  # type: ignore[arg-type]


def _marks(values: Collection[str]) -> str:
    return ", ".join("?" * len(values))
