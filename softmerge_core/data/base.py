"""The contract of a data set: three splits of inputs and labels."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from softmerge_core.errors import DataError, short
from softmerge_core.settings import DataSpec

if TYPE_CHECKING:
    from torch import Tensor

SPLITS = ("train", "validation", "test")
MAX_CLASSES = 100_000  # a network's last layer has a row for each class
BLOCK = 1 << 20  # numbers looked at together
Arrays = dict[str, np.ndarray]  # "<split>_inputs" [N, *input_shape] and "<split>_labels" [N]


@dataclass(frozen=True)
class MergeData:
    """Samples to train a merge on, and samples to validate it on.

    Inputs [N, ...] as the networks read them; labels [N], int64, 0 to classes - 1.
    """

    train_inputs: "Tensor"
    train_labels: "Tensor"
    validation_inputs: "Tensor"
    validation_labels: "Tensor"


@dataclass(frozen=True)
class Data:
    """One data set. Inputs are float32 [N, *input_shape], labels int64 [N] in 0..classes-1."""

    name: str
    title: str
    classes: int
    input_shape: tuple[int, ...]
    train_inputs: "Tensor"
    train_labels: "Tensor"
    validation_inputs: "Tensor"
    validation_labels: "Tensor"
    test_inputs: "Tensor"
    test_labels: "Tensor"

    def split(self, name: str) -> "tuple[Tensor, Tensor]":
        """(inputs, labels) of "train", "validation" or "test"."""
        return getattr(self, f"{name}_inputs"), getattr(self, f"{name}_labels")

    def for_merging(self) -> MergeData:
        """The samples a merge may look at: training and validation, never test."""
        return MergeData(self.train_inputs, self.train_labels, self.validation_inputs, self.validation_labels)


@dataclass(frozen=True)
class Scale:
    """How raw samples became inputs, ``(raw - mean) / sd``; ``raw``: what they were, and in which range, in words."""

    mean: float
    sd: float
    raw: str

    @classmethod
    def of(cls, samples: np.ndarray, raw: str) -> "Scale":
        """The scale by which ``samples`` (those to train on), of any shape, have mean 0 and SD 1; float32 sums."""
        numbers = samples.astype(np.float32)
        return cls(float(numbers.mean()), float(numbers.std()), raw)


@dataclass(frozen=True)
class Dataset:
    """A built-in data set; every call of ``load`` returns the same arrays."""

    name: str
    title: str
    classes: int
    input_shape: tuple[int, ...]
    load: Callable[[], Arrays]
    samples: tuple[int, int, int]  # to train, to validate and to test on
    not_standardised: str = ""  # why its training inputs do not have mean 0 and SD 1; "" where they do
    class_names: tuple[str, ...] = ()  # of 0, 1, ...; none where a class is called by its number
    groups: tuple[tuple[str, int], ...] = ()  # classes that belong together, in their order: (title, how many)
    scale: Callable[[], Scale] | None = (
        None  # how a reader's samples become such inputs; None where there are no raw ones
    )

    def to_data(self, arrays: Arrays) -> Data:
        """Return this data set with ``arrays`` as its tensors."""
        return to_data(self.name, self.title, self.classes, arrays)


def to_data(name: str, title: str, classes: int, arrays: Arrays) -> Data:
    """Return the numpy arrays of three splits as Data; inputs become (x - mean) / sd where the arrays say so."""
    import torch

    tensors = {}
    for split in SPLITS:
        inputs, labels = arrays[f"{split}_inputs"], arrays[f"{split}_labels"]
        tensors[f"{split}_inputs"] = torch.from_numpy(scaled(inputs, arrays.get("mean"), arrays.get("sd")))
        tensors[f"{split}_labels"] = torch.from_numpy(np.array(labels, dtype=np.int64))
    shape = tuple(arrays["train_inputs"].shape[1:])
    return Data(name=name, title=title, classes=classes, input_shape=shape, **tensors)


def scaled(inputs: np.ndarray, mean: np.ndarray | None, sd: np.ndarray | None) -> np.ndarray:
    """Return (inputs - mean) / sd as new float32; inputs [N, C, ...], ``mean`` and ``sd`` [C], or both None."""
    made = np.array(inputs, dtype=np.float32, order="C")
    if mean is not None and sd is not None:
        shape = (-1, *(1,) * (inputs.ndim - 2))
        made -= mean.astype(np.float32).reshape(shape)
        made /= sd.astype(np.float32).reshape(shape)
    return made


def select(data: Data, spec: DataSpec) -> Data:
    """Return the spec's first ``train_samples`` and ``validation_samples`` (all if None), and the whole test set."""
    n, m = spec.train_samples, spec.validation_samples
    return dataclasses.replace(
        data,
        train_inputs=data.train_inputs[:n],
        train_labels=data.train_labels[:n],
        validation_inputs=data.validation_inputs[:m],
        validation_labels=data.validation_labels[:m],
    )


def check_data(data: Data, input_shape: tuple[int, ...] | None = None, classes: int | None = None) -> None:
    """Raise DataError unless every split has samples, finite inputs of one shape, labels in 0..classes-1.

    ``input_shape`` and ``classes`` are those of the networks that will see the data; by default the data's own.
    """
    shape, count = input_shape or data.input_shape, classes or data.classes
    what = f"data set {short(Path(data.name).name)!r}"
    for split in SPLITS:
        inputs, labels = data.split(split)
        check_split(what, split, inputs.numpy(), labels.numpy())
        if tuple(inputs.shape[1:]) != tuple(shape):
            raise DataError(f"{what}: expected {split} inputs of shape {tuple(shape)}, got {tuple(inputs.shape[1:])}")
        check_labels(what, split, labels.numpy(), count)


def check_split(what: str, split: str, inputs: np.ndarray, labels: np.ndarray) -> None:
    """Raise DataError unless there are samples, as many labels as inputs, and every input is finite in float32."""
    name = {"train": "training"}.get(split, split)
    if len(inputs) == 0:
        raise DataError(f"{what}: no {name} data: expected at least one {name} sample, got 0")
    if labels.ndim != 1 or len(labels) != len(inputs):
        raise DataError(f"{what}: expected {split}_labels of shape ({len(inputs)},), one an input, got {labels.shape}")
    bad = _not_finite(inputs)
    if len(bad):
        got = "more than a 32-bit float holds" if np.isfinite(inputs[bad[0]]).all() else "NaN or Inf"
        raise DataError(
            f"{what}: expected finite {split}_inputs, got {got} in sample {int(bad[0])} "
            f"({len(bad)} such samples in all)"
        )


def _not_finite(inputs: np.ndarray) -> np.ndarray:
    """Return the indices of the samples that are not finite as float32; looks at a few samples at a time."""
    if inputs.dtype.kind != "f":
        return np.empty(0, np.int64)
    together = max(1, BLOCK // max(1, inputs[0].size))
    found = []
    for start in range(0, len(inputs), together):
        block = inputs[start : start + together]
        with np.errstate(over="ignore", invalid="ignore"):
            numbers = block.reshape(len(block), -1).astype(np.float32, copy=False)
        found.append(start + np.flatnonzero(~np.isfinite(numbers).all(axis=1)))
    return np.concatenate(found)


def check_labels(what: str, split: str, labels: np.ndarray, classes: int) -> None:
    """Raise DataError that names the first label outside 0..classes-1, if there is one."""
    bad = (labels < 0) | (labels >= classes)
    if bad.any():
        index = int(bad.argmax())
        raise DataError(
            f"{what}: expected {split}_labels in 0..{classes - 1}, got {int(labels[index])} at index {index}"
        )
