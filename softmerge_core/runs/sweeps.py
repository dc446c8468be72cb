"""The sweeps of a store: which runs are the points of one, kept in a small file beside the runs and in each run."""

import contextlib
import json
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from itertools import groupby
from math import ceil, prod
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from softmerge_core.errors import NotFoundError, RunError, SoftMergeError
from softmerge_core.experiments import Spec, experiment
from softmerge_core.experiments.sweeping.spec import PlainValue, Sweep, expand, values_of
from softmerge_core.home import set_aside, write_atomic
from softmerge_core.runs import files
from softmerge_core.runs.labels import SWEEP_TAG, Labels, write_labels, write_owner
from softmerge_core.runs.status import is_held
from softmerge_core.runs.store import RunStore
from softmerge_core.settings import Frozen, parse

MARK = "sweep.json"  # in the folder of a run that is a point of a sweep
MOST_TOGETHER = 24  # runs in one task: of more the last would tell nothing for long, and others would wait for them


class KeptSweep(Frozen):
    """A sweep that was started: the ``values`` of each axis, and the ids of its ``runs`` in the order of ``expand``."""

    version: Literal[1] = 1
    id: str
    created: datetime
    owner: str = ""
    sweep: Sweep
    values: tuple[tuple[PlainValue, ...], ...]
    runs: tuple[str, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if len(self.values) != len(self.sweep.axes):
            raise ValueError("expected values for each axis")
        if len(self.runs) != prod(map(len, self.values)) * len(self.sweep.seeds):
            raise ValueError("expected a run for each point and seed")
        return self

    @property
    def tag(self) -> str:
        """The tag that its runs carry."""
        return f"{SWEEP_TAG}{self.created.astimezone(UTC):%Y-%m-%d %H:%M} {self.id[-4:]}"


def sweeps_folder(store: RunStore) -> Path:
    """Where the definitions of sweeps lie: beside the runs."""
    return store.root.with_name("sweeps")


def create_sweep(store: RunStore, sweep: Sweep, owner: str = "") -> KeptSweep:
    """Create all runs of a sweep, which wait to be started; where that fails, as on a full disk, none is left.

    Raises SoftMergeError where a point cannot be run, before anything is written, or RunError.
    """
    points, now, ids = expand(sweep), datetime.now(UTC), list[str]()
    name = f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"
    try:
        for point in points:
            ids.append(store.create(point.spec))
        values = tuple(values_of(sweep))
        kept = KeptSweep(id=name, created=now, owner=owner, sweep=sweep, values=values, runs=tuple(ids))
        for place, run_id in enumerate(ids):
            _mark(store.folder(run_id), kept, place)
        folder = sweeps_folder(store)
        with files.writing(name):
            folder.mkdir(parents=True, exist_ok=True)
            write_atomic(folder / f"{name}.json", kept.model_dump_json(indent=1).encode() + b"\n")
    except SoftMergeError:
        for run_id in ids:
            with contextlib.suppress(SoftMergeError):
                store.delete(run_id)
        raise
    return kept


def _mark(folder: Path, kept: KeptSweep, place: int) -> None:
    with files.writing(folder.name):
        files.write_json(folder / MARK, {"sweep": kept.id, "place": place}, durable=False)
    write_labels(folder, Labels(tags=(kept.tag,)))
    if kept.owner:
        write_owner(folder, kept.owner)


def is_point(folder: Path) -> bool:
    """Whether the run in ``folder`` is a point of a sweep."""
    return (folder / MARK).is_file()


def read_sweep(store: RunStore, sweep_id: str) -> KeptSweep:
    """Return a sweep by its id; raises NotFoundError, or RunError or SettingsError where its file is damaged."""
    path = sweeps_folder(store) / f"{files.check_run_id(sweep_id)}.json"
    try:
        changed = path.stat().st_mtime_ns
    except OSError as error:
        raise NotFoundError(f"unknown sweep {sweep_id!r}") from error
    return _read(path, changed)


@lru_cache(maxsize=64)
def _read(path: Path, changed: int) -> KeptSweep:
    values = files.read_json(path)
    if values is None:
        raise NotFoundError(f"unknown sweep {path.stem!r}")
    kept: KeptSweep = parse(KeptSweep, json.dumps(values), f"sweep {path.stem!r}")
    return kept


def set_sweep_aside(store: RunStore, kept: KeptSweep) -> str:
    """Throw a sweep and those of its runs that are there away; returns the ticket for ``home.bring_back``.

    Raises RunError while one of them is running.
    """
    there = [store.root / run_id for run_id in kept.runs if (store.root / run_id).is_dir()]
    if busy := next((folder.name for folder in there if is_held(folder)), None):
        raise RunError(f"run {busy!r} is running: stop the sweep before deleting it")
    with files.writing(kept.id):
        return set_aside([*there, sweeps_folder(store) / f"{kept.id}.json"])


def sweep_ids(store: RunStore) -> list[str]:
    """The ids of all sweeps, newest first."""
    try:
        names = [path.stem for path in sweeps_folder(store).glob("*.json") if files.is_run_id(path.stem)]
    except OSError:
        return []
    return sorted(names, reverse=True)


def groups(specs: Sequence[Spec], workers: int) -> list[list[int]]:
    """The positions of ``specs`` in groups, each for one task of a worker.

    Those that can go side by side are together, MOST_TOGETHER at most, in as many groups as keep all ``workers`` busy.
    """
    keys = [_key(spec, place) for place, spec in enumerate(specs)]
    order = sorted(range(len(specs)), key=lambda place: keys[place])
    found = []
    for _, members in groupby(order, key=lambda place: keys[place]):
        places = list(members)
        turns = ceil(len(places) / (max(1, workers) * MOST_TOGETHER))
        count = min(len(places), turns * max(1, workers))
        found += [places[number::count] for number in range(count)]
    return sorted(found)


def _key(spec: Spec, place: int) -> str:
    alike = experiment(spec.kind).alike
    return (alike(spec) if alike else "") or f"alone {place:06d}"
