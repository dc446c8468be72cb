"""A sweep as a page follows it: the state of each run, what it came to, and its curve; only what is new is read."""

import contextlib
from collections import Counter
from pathlib import Path

from softmerge_core.errors import RunError, SoftMergeError
from softmerge_core.events import Evaluation
from softmerge_core.experiments import experiment
from softmerge_core.experiments.outcome import Outcome
from softmerge_core.experiments.sweeping.table import SweepTable
from softmerge_core.runs import files
from softmerge_core.runs.log import parse_lines
from softmerge_core.runs.results import read_result
from softmerge_core.runs.status import ENDED, Status
from softmerge_core.runs.store import RunStore
from softmerge_core.runs.sweeps import KeptSweep

MARK = b'"kind":"evaluation"'
CHUNK = 64 * 2**20  # bytes of a log that are read at once, at most
CUT_SHORT = ("interrupted", "failed", "stopped")


class SweepReader:
    """Follows a sweep. ``states``: of each run that is there, by its id; ``outcomes``: of those that have one."""

    def __init__(self, store: RunStore, kept: KeptSweep) -> None:
        self.kept, self._store = kept, store
        self.states: dict[str, Status] = {}
        self.outcomes: dict[str, Outcome] = {}
        self.curves: dict[str, list[tuple[int, float]]] = {}
        self._logs: dict[str, _Log] = {}
        self.changes = 0  # grows whenever anything new was read
        self._table: tuple[int, SweepTable] | None = None
        self.poll()

    def poll(self) -> None:
        """Read what is new of the runs that had not finished; a run that was deleted is no longer there."""
        for run_id in self.kept.runs:
            if self.states.get(run_id) != "finished":
                before = self.states.get(run_id)
                with contextlib.suppress(SoftMergeError):
                    self._take(run_id)
                    continue
                self.changes += self.states.pop(run_id, None) != before or bool(before)

    def _take(self, run_id: str) -> None:
        folder = self._store.folder(run_id)
        state = self._store.status(run_id).status
        self.changes += state != self.states.get(run_id)
        if state != "waiting":
            log = self._logs.setdefault(run_id, _Log(folder))
            self.changes += log.read()
            self.curves[run_id] = log.curve
        if state == "finished":
            kind = self.kept.sweep.base.kind
            result, _ = read_result(folder, kind)
            outcome = experiment(kind).outcome
            if result is not None and outcome is not None and (found := outcome(result)):
                self.outcomes[run_id] = found
        self.states[run_id] = state

    @property
    def live(self) -> bool:
        """Whether a run may still change by itself."""
        return any(state not in (*ENDED, "interrupted") for state in self.states.values())

    @property
    def cut_short(self) -> list[str]:
        """The runs that can be begun again."""
        return [run_id for run_id, state in self.states.items() if state in CUT_SHORT]

    @property
    def table(self) -> SweepTable:
        """The points with what is known of them now."""
        if self._table is None or self._table[0] != self.changes:
            self._table = self.changes, SweepTable(self.kept.sweep, self.kept.values, self.kept.runs, self.outcomes)
        return self._table[1]


class _Log:
    """The evaluations in a log, of the network that is evaluated again and again; no other line is parsed."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._next, self._attempt = folder, 0, 0
        self._series: dict[str, list[tuple[int, float]]] = {}
        self._seen: Counter[str] = Counter()
        self._main = ""

    @property
    def curve(self) -> list[tuple[int, float]]:
        """(step, accuracy) of each of its evaluations."""
        return self._series.get(self._main, [])

    def read(self) -> bool:
        """Read on; whether there was anything new."""
        attempt = files.read_attempt(self._folder / files.BEGUN)
        if attempt != self._attempt:  # which may have begun the log afresh
            self.__init__(self._folder)  # type: ignore[misc]
            self._attempt = attempt
        try:
            with files.open_plain(self._folder / files.EVENTS) as file:
                file.seek(self._next)
                block = file.read(CHUNK)
        except OSError:
            return False
        whole = block.rfind(b"\n") + 1
        self._next += whole
        lines = [line for line in block[:whole].split(b"\n") if MARK in line[:120]]
        with contextlib.suppress(RunError):
            for event in parse_lines(b"\n".join(lines))[0]:
                if isinstance(event, Evaluation):
                    self._note(event)
        return bool(lines)

    def _note(self, event: Evaluation) -> None:
        self._series.setdefault(event.series, []).append((event.step, event.accuracy))
        if not self._main and len(self._series[event.series]) > 1:
            self._main = event.series
