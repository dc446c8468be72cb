"""The time to evaluate the points of a plane of weights: ``python -m benchmarks.landscape``.

Each network is evaluated in batches of weights (torch.func) and one by one, in turn in one process on one thread. The
table has medians of CPU time per point (on an idle machine, equal to wall-clock time), their ratio, and the time of a
whole 41 x 41 plane in the way that is chosen. A run spreads the rows of the plane over its workers, which divides this
time by their number.
"""

import statistics
import time
from collections.abc import Iterator

import torch

from benchmarks.base import Benchmark
from benchmarks.tables import Table, milliseconds, ratio
from softmerge_core.experiments.connectivity.spec import STATISTICS, ConnectivitySpec
from softmerge_core.landscape import Surface, batchable, line_points, weights_of
from softmerge_core.zoo import load_family

FAMILIES = (
    "spirals-mlp-independent",
    "mnist1d-cnn-independent",
    "mnist1d-lstm-shared-trunk",
    "digits-vgg-label-noise",
    "digits-resnet-specialists",
    "digits-vit-shared-trunk",
)
POINTS, TURNS, PLANE = 24, 5, 41 * 41


def tables(device: str) -> Iterator[Table | str]:
    """Yield one row for each network."""
    samples = ConnectivitySpec.model_fields["samples"].default
    yield f"{samples} samples a point, BatchNorm estimated again on {STATISTICS}."
    columns = ("network", "batched, ms", "one by one, ms", "batched / one by one", "chosen", "41 x 41, s")
    yield Table(columns, (row(name, samples) for name in FAMILIES))


def row(name: str, samples: int) -> list[str]:
    """Return one network's times as a row of the table."""
    family = load_family(name)
    network, (inputs, labels) = family.sources[0], family.data.split("train")
    points = line_points(weights_of(network), weights_of(family.sources[1]), [k / POINTS for k in range(POINTS)])
    recurrent = any(isinstance(module, torch.nn.RNNBase) for module in network.modules())
    ways = {
        how: Surface(network, {"shown": (inputs[:samples], labels[:samples])}, inputs[:STATISTICS], how)  # type: ignore[arg-type]
        for how in ("batched", "single")
        if not (recurrent and how == "batched")
    }
    times: dict[str, list[float]] = {how: [] for how in ways}
    for turn in range(TURNS + 1):
        for how, surface in ways.items():
            begun = time.process_time()
            surface.at(points)
            if turn:
                times[how].append((time.process_time() - begun) / POINTS)
    chosen = "batched" if batchable(network) else "single"
    batched = milliseconds(times["batched"]) if "batched" in times else "no such form"
    over = ratio(times["batched"], times["single"]) if "batched" in times else ""
    words = {"batched": "batched", "single": "one by one"}[chosen]
    plane = f"{PLANE * statistics.median(times[chosen]):.1f}"
    return [family.info.network, batched, milliseconds(times["single"]), over, words, plane]


BENCHMARK = Benchmark(name="landscape", title="The points of a plane of weights", minutes=2, tables=tables)

if __name__ == "__main__":
    BENCHMARK.main()
