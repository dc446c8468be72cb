"""The time of a sweep over that of the same runs started one by one, on the app's own two workers.

24 points (eight penalties, three learning rates) with 3 seeds each, of the merge that the Merge page shows at first and
of two smaller networks. Both go through the same runner, which is warm: the sweep hands its runs to the workers in
groups, side by side where their network gains by it; the single runs are all submitted at once and wait for their
turn. CPU time is that of the workers, which what else the machine does changes less. "Apart" is the largest and the
median difference of the test accuracy of two runs of the same settings, in points: by rounding, two may part.
"""

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

from benchmarks.base import Benchmark
from benchmarks.tables import Table
from softmerge_core.experiments.admission import FIRST
from softmerge_core.experiments.merge.spec import MergeSpec
from softmerge_core.experiments.sweeping.spec import Axis, Listed, Log, Sweep, expand
from softmerge_core.runs import Runner, RunStore
from softmerge_core.runs.cluster import WORKERS
from softmerge_core.settings import DataSpec, SoftMergeSettings, SourceSpec
from softmerge_core.zoo import families

FAMILIES = (FIRST, "mnist1d-cnn-shared-trunk", "spirals-mlp-shared-trunk")
RATES = (0.05, 0.1, 0.2)
SOURCES = 4
LONGEST = 3600.0  # seconds


def tables(
    device: str, families: tuple[str, ...] = FAMILIES, points: int = 24, seeds: int = 3, steps: int = 400
) -> Iterator[Table]:
    """Yield a row for each family; ``points`` are a multiple of the learning rates, ``steps`` those of each stage."""
    columns = (
        "family",
        "runs",
        "sweep, s",
        "single runs, s",
        "ratio",
        "CPU sweep, s",
        "CPU single, s",
        "ratio",
        "apart",
    )
    with tempfile.TemporaryDirectory() as folder:
        runner = Runner(RunStore(Path(folder) / "runs"))
        try:
            wait(lambda: runner.ready() and len(runner._client.scheduler_info()["workers"]) == WORKERS)
            yield Table(columns, (row(runner, sweep_of(name, points, seeds, steps)) for name in families))
        finally:
            runner.close()


def sweep_of(name: str, points: int, seeds: int, steps: int) -> Sweep:
    """The sweep of a family with the usual settings."""
    family = families()[name]
    sources = tuple(SourceSpec(model=f"{name}/{model.name}") for model in family.models[:SOURCES])
    settings = SoftMergeSettings(steps=steps)
    base = MergeSpec(name=name, sources=sources, data=DataSpec(dataset=family.dataset), settings=settings)
    axes = (
        Axis(path="settings.penalty", range=Log(first=1e-4, last=0.1, count=points // len(RATES))),
        Axis(path="settings.learning_rate", range=Listed(listed=RATES)),
    )
    return Sweep(base=base, axes=axes, seeds=tuple(range(seeds)), with_base=False)


def row(runner: Runner, sweep: Sweep) -> list[str]:
    """Time a sweep, then its runs one by one, and compare what they came to."""
    together = runs_of(runner, lambda: list(runner.submit_sweep(sweep).runs))
    alone = runs_of(runner, lambda: [runner.submit(point.spec) for point in expand(sweep)])
    gaps = [abs(one - other) for one, other in zip(together[0], alone[0], strict=True)]
    apart = f"{max(gaps):.1f}, {statistics.median(gaps):.1f}"
    return [sweep.base.name, str(len(gaps)), *beside(together[1], alone[1]), *beside(together[2], alone[2]), apart]


def beside(time_: float, other: float) -> list[str]:
    """Two times and their ratio."""
    return [f"{time_:.0f}", f"{other:.0f}", f"{time_ / other:.2f}"]


def runs_of(runner: Runner, begin: Callable[[], list[str]]) -> tuple[list[float], float, float]:
    """(test accuracies in percent, seconds until all are done, CPU seconds of all processes of the workers)."""
    before, begun = cpu(), time.monotonic()
    runs = begin()
    wait(lambda: all(runner.store.status(run_id).status not in ("waiting", "running") for run_id in runs))
    took, spent = time.monotonic() - begun, cpu() - before
    results = [runner.store.read(run_id).result or {} for run_id in runs]
    return [100 * result["accuracy"]["soft"] for result in results], took, spent


def cpu() -> float:
    """The CPU seconds that the processes of this one have used."""
    times = [child.cpu_times() for child in psutil.Process().children(recursive=True)]
    return sum(each.user + each.system for each in times)


def wait(condition: Callable[[], bool]) -> None:
    """Wait until ``condition`` holds; raises TimeoutError."""
    end = time.monotonic() + LONGEST
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.2)


BENCHMARK = Benchmark(name="sweep", title="A sweep against single runs", minutes=12, tables=tables)

if __name__ == "__main__":
    BENCHMARK.main()
