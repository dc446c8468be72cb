"""The time to evaluate the points of a plane of weights: ``python -m benchmarks.landscape``.

Each network is evaluated in batches of weights (torch.func) and one by one, in turn in one process on one thread. The
table has medians of CPU time per point (on an idle machine, equal to wall-clock time), their ratio, and the time of a
whole 41 x 41 plane in the way that is chosen. A run spreads the rows of the plane over its workers, which divides this
time by their number.
"""

import statistics
import time

import torch

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


def main() -> None:
    """Print one row for each network."""
    torch.set_num_threads(1)
    samples = ConnectivitySpec.model_fields["samples"].default
    print(f"{samples} samples a point, BatchNorm estimated again on {STATISTICS}\n")
    print("| network | batched, ms | one by one, ms | batched / one by one | chosen | 41 x 41, s |")
    print("|---|---|---|---|---|---|")
    for name in FAMILIES:
        print(row(name, samples), flush=True)


def row(name: str, samples: int) -> str:
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
    found = {how: statistics.median(seconds) for how, seconds in times.items()}
    chosen = "batched" if batchable(network) else "single"
    batched = f"{1e3 * found['batched']:.2f}" if "batched" in found else "no such form"
    ratio = f"{found['batched'] / found['single']:.2f}" if "batched" in found else ""
    words = {"batched": "batched", "single": "one by one"}[chosen]
    return (
        f"| {family.info.network} | {batched} | {1e3 * found['single']:.2f} | {ratio} | {words} | "
        f"{PLANE * found[chosen]:.1f} |"
    )


if __name__ == "__main__":
    main()
