"""Peak memory of a merge, in models: ``python -m benchmarks.memory``.

ResNet-18 (ten classes, random weights) in files of float32 or bfloat16, merged with eight images of 8x8 pixels in each
split, in two steps of eight images, so that hardly anything but weights counts. Printed is how far the process's memory
rises above what it takes before any of these files is opened, after a merge of two small networks has loaded all there
is to load, in units of one network's bytes in float32. Each number comes from a process of its own, in which the memory
is looked at every 5 ms.

"From files" is what a run does: sources are read from their files one at a time (``from_files``). "In a list" are
sources that the caller has loaded and holds.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn

from softmerge_core import MergeData, SoftMergeSettings, soft_merge
from softmerge_core.checkpoints.files import save_checkpoint
from softmerge_core.checkpoints.sources import from_files
from softmerge_core.experiments.cost import Cost
from softmerge_core.networks import build_network

SHAPE, CLASSES, SAMPLES, COUNTS = (3, 8, 8), 10, 8, (4, 16)
CASES = (("from files", "float32"), ("from files", "bfloat16"), ("in a list", "float32"))  # how, and stored as


def network(seed: int = 0) -> nn.Module:
    """Return a ResNet-18 with random weights, in evaluation mode."""
    return build_network("torchvision/resnet18", SHAPE, CLASSES, seed).eval()


def merge(sources: Sequence[nn.Module], granularity: str) -> None:
    """Merge in two steps."""
    inputs, labels = torch.randn(SAMPLES, *SHAPE), torch.randint(CLASSES, (SAMPLES,))
    settings = SoftMergeSettings(granularity=granularity, steps=2, batch_size=SAMPLES)  # type: ignore[arg-type]
    soft_merge(sources, MergeData(inputs, labels, inputs, labels), settings)


def peak(how: str, granularity: str, paths: Sequence[Path]) -> float:
    """Return the peak in models."""
    merge([build_network("resnet", SHAPE, CLASSES, seed) for seed in range(2)], granularity)
    shell = network()
    with Cost() as cost:
        sources = from_files(paths, shell)
        merge(sources if how == "from files" else list(sources), granularity)
    return cost.memory * 2**20 / (4 * sum(parameter.numel() for parameter in shell.parameters()))


def measured(folder: Path, how: str, granularity: str, count: int) -> str:
    """Return what ``peak`` finds in a fresh process, as text."""
    command = [sys.executable, "-m", "benchmarks.memory", "--case", str(folder), how, granularity, str(count)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def main() -> None:
    """Print one row for each way and granularity, with a column for each number of sources."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", nargs=4, help=argparse.SUPPRESS)
    chosen = parser.parse_args().case
    torch.set_num_threads(1)
    if chosen:
        folder, how, granularity, count = chosen
        print(f"{peak(how, granularity, sorted(Path(folder).iterdir())[: int(count)]):.1f}")
        return
    print(f"| sources | stored as | gates | {' | '.join(f'K={count}' for count in COUNTS)} |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as place:
        for number in range(max(COUNTS)):
            for dtype in ("float32", "bfloat16"):
                path = Path(place, dtype, f"{number:02}.safetensors")
                save_checkpoint(network(number).to(getattr(torch, dtype)), path)
        for how, dtype in CASES:
            for granularity in ("layer", "channel"):
                found = [measured(Path(place, dtype), how, granularity, count) for count in COUNTS]
                print(f"| {how} | {dtype} | {granularity} | {' | '.join(found)} |", flush=True)


if __name__ == "__main__":
    main()
