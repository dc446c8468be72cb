"""The peak memory of a soft merge, in models: networks' bytes in float32.

ResNet-18 (CIFAR stem, ten classes, random weights) in files of float32 or bfloat16, merged in two steps, with eight
images of 8x8 pixels in each split, so that hardly anything but weights counts. The peak is that of a process of its
own over what it used before any of these files was opened, after a merge of two small networks has loaded all there is
to load. "From files" is what a run does: each source is read when it is asked for. "In a list" are sources that the
caller has loaded and holds all along.
"""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from torch import nn

from benchmarks.base import Benchmark
from benchmarks.fresh import Peak, fresh
from benchmarks.networks import cifar_resnet18
from benchmarks.tables import Table
from softmerge_core import MergeData, SoftMergeSettings, soft_merge
from softmerge_core.checkpoints.files import save_checkpoint
from softmerge_core.checkpoints.sources import from_files
from softmerge_core.networks import build_network

SHAPE, CLASSES, SAMPLES = (3, 8, 8), 10, 8
FILES, LIST = "from files", "in a list"
CASES = ((FILES, "float32"), (FILES, "bfloat16"), (LIST, "float32"))  # how sources are held, what their files hold


def tables(device: str, counts: tuple[int, ...] = (4, 16)) -> Iterator[Table | str]:
    """Yield the table, with a column for each number of sources."""
    yield Table(("sources", "in files of", "gates", *(f"K={count}" for count in counts)), _rows(counts))


def _rows(counts: Sequence[int]) -> Iterator[list[str]]:
    with tempfile.TemporaryDirectory() as place:
        paths = {dtype: written(Path(place, dtype), max(counts), dtype) for dtype in ("float32", "bfloat16")}
        for how, dtype in CASES:
            for granularity in ("layer", "channel"):
                found = [fresh(peak, how, granularity, paths[dtype][:count]) for count in counts]
                yield [how, dtype, granularity, *(f"{models:.1f}" for models in found)]


def written(folder: Path, count: int, dtype: str) -> list[Path]:
    """Return the files of so many networks."""
    paths = [folder / f"{number:02}.safetensors" for number in range(count)]
    for number, path in enumerate(paths):
        save_checkpoint(cifar_resnet18(number).to(getattr(torch, dtype)), path)
    return paths


def peak(how: str, granularity: str, paths: Sequence[Path]) -> float:
    """Return the peak in models, in a process that has not merged yet."""
    merge([build_network("resnet", SHAPE, CLASSES, seed) for seed in range(2)], granularity)
    shell = cifar_resnet18()
    measured = Peak()
    sources = from_files(paths, shell)
    merge(sources if how == FILES else list(sources), granularity)
    return measured.bytes() / (4 * sum(parameter.numel() for parameter in shell.parameters()))


def merge(sources: Sequence[nn.Module], granularity: str) -> None:
    """Merge in two steps."""
    inputs, labels = torch.randn(SAMPLES, *SHAPE), torch.randint(CLASSES, (SAMPLES,))
    settings = SoftMergeSettings.model_validate({"granularity": granularity, "steps": 2, "batch_size": SAMPLES})
    soft_merge(sources, MergeData(inputs, labels, inputs, labels), settings)


BENCHMARK = Benchmark(name="memory", title="The peak memory of a soft merge", minutes=4, tables=tables)

if __name__ == "__main__":
    BENCHMARK.main()
