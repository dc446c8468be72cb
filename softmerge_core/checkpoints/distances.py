"""How far apart networks in files are, and what is odd about their weights; read in blocks, without torch."""

import mmap
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from softmerge_core.checkpoints.header import SIZES, Entry, header_length, read_entries
from softmerge_core.checkpoints.shards import shards
from softmerge_core.errors import CheckpointError, short

BLOCK = 2**18  # numbers of each source that are looked at together
FAR = 10.0  # times as large as the others' largest weight: a value that is far beyond them
LEAST = 64  # numbers of a tensor that can tell whether two networks are kin
TYPES = {"F16": np.float16, "F32": np.float32, "F64": np.float64}
STATISTICS = ("running_mean", "running_var")  # of BatchNorm: they are estimated again after a merge
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Layer:
    """One layer of K sources: products [K][K] of its weights, the largest |w| and the non-finite numbers of each.

    ``kin``: the products of what tells ancestors, its tensors of two or more dimensions; all 0 where it has none.
    """

    name: str
    products: list[list[float]]
    kin: list[list[float]]
    largest: list[float]
    not_finite: list[int]


@dataclass(frozen=True)
class Distances:
    """What was found in the files of K sources; ``parameters`` is the number of weights of each."""

    parameters: int
    layers: list[Layer] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Any) -> "Distances":
        """Return what ``as_json`` gave; raises TypeError, KeyError or ValueError for anything else."""
        return cls(int(values["parameters"]), [Layer(**layer) for layer in values["layers"]])


def distances(paths: Sequence[str | Path]) -> Distances:
    """Compare the weights in safetensors files of one architecture, or in the files that indices of such name.

    Raises CheckpointError for a file that is damaged or has other tensors than the first.
    """
    with ExitStack() as stack:
        sources = [_opened(Path(path), stack) for path in paths]
        names = [name for name, (entry, _) in sources[0].items() if _is_weight(entry)]
        for path, source in zip(paths, sources, strict=True):
            _check_alike(sources[0], source, names, short(Path(path).name))
        layers: dict[str, list[tuple[str, tuple[Array, Array, Array]]]] = {}
        for name in names:
            layers.setdefault(name.rpartition(".")[0] or name, []).append((name, _compared(sources, name)))
        total = sum(_count(sources[0][name][0]) for name in names)
        return Distances(total, [_layer(name, parts, sources[0]) for name, parts in layers.items()])


Source = dict[str, tuple[Entry, NDArray[np.uint8]]]  # of each tensor its entry, and its bytes in the mapped file


def _opened(path: Path, stack: ExitStack) -> Source:
    found: Source = {}
    for file in shards(path):
        what = short(file.name)
        if file.suffix.lower() != ".safetensors":
            raise CheckpointError(f"{what}: expected a safetensors file")
        try:
            opened = stack.enter_context(file.open("rb"))
            mapped = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:
            raise CheckpointError(f"{what}: could not be read ({error})") from error
        length = header_length(mapped[:64], len(mapped), what)
        data = np.frombuffer(mapped, np.uint8, offset=8 + length)
        entries = read_entries(mapped[8 : 8 + length], len(data), what)
        found |= {entry.name: (entry, data[entry.start : entry.stop]) for entry in entries}
    return dict(sorted(found.items(), key=lambda item: _order(item[0])))


def _order(name: str) -> list[tuple[int, str]]:
    """Layers as they follow each other: "2" comes before "10"."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in name.split(".")]


def _is_weight(entry: Entry) -> bool:
    return "F" in entry.dtype and not entry.name.endswith(STATISTICS) and _count(entry) > 0


def _count(entry: Entry) -> int:
    return (entry.stop - entry.start) // SIZES[entry.dtype]


def _check_alike(first: Source, other: Source, names: Sequence[str], what: str) -> None:
    for name in names:
        found = other.get(name)
        if found is None or found[0].shape != first[name][0].shape or "F" not in found[0].dtype:
            got = "none" if found is None else f"{found[0].dtype} of shape {found[0].shape}"
            raise CheckpointError(f"{what}: tensor {short(name)!r}: expected shape {first[name][0].shape}, got {got}")


def _compared(sources: Sequence[Source], name: str) -> tuple[Array, Array, Array]:
    """(products [K, K], largest |w| [K], non-finite numbers [K]) of one tensor; what is not finite counts as 0."""
    products = np.zeros((len(sources), len(sources)))
    largest, broken = np.zeros(len(sources)), np.zeros(len(sources))
    for found in _blocks([source[name] for source in sources]):
        finite = np.isfinite(found)
        broken += (~finite).sum(1)
        block = found if finite.all() else np.where(finite, found, 0.0)
        products += block @ block.T
        largest = np.maximum(largest, np.abs(block).max(1))
    return products, largest, broken


def _blocks(tensors: Sequence[tuple[Entry, NDArray[np.uint8]]]) -> Iterator[Array]:
    """The numbers [K, n] of one tensor of all sources, n at most ``BLOCK``."""
    count = _count(tensors[0][0])
    for start in range(0, count, BLOCK):
        stop = min(start + BLOCK, count)
        yield np.stack([_numbers(entry, data, start, stop) for entry, data in tensors])


def _numbers(entry: Entry, data: NDArray[np.uint8], start: int, stop: int) -> Array:
    size = SIZES[entry.dtype]
    raw = data[start * size : stop * size]
    if entry.dtype == "BF16":  # the upper half of a float32
        return (raw.view(np.uint16).astype(np.uint32) << 16).view(np.float32).astype(np.float64)
    with np.errstate(invalid="ignore"):  # a NaN of any kind stays one
        return raw.view(TYPES[entry.dtype]).astype(np.float64)


def _layer(name: str, parts: Sequence[tuple[str, tuple[Array, Array, Array]]], first: Source) -> Layer:
    """The tensors of one layer together."""
    products = sum((found[0] for _, found in parts), np.zeros(1))
    telling = [found[0] for part, found in parts if _tells(first[part][0])]
    kin = sum(telling, np.zeros_like(products))
    largest = np.max([found[1] for _, found in parts], axis=0)
    broken = sum((found[2] for _, found in parts), np.zeros(1))
    return Layer(name, products.tolist(), kin.tolist(), largest.tolist(), broken.astype(int).tolist())


def _tells(entry: Entry) -> bool:
    """Whether a tensor is unlike in networks that started apart: norms' scales are all near 1, and biases near 0."""
    return sum(size > 1 for size in entry.shape) >= 2 and _count(entry) >= LEAST
