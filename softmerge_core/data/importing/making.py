"""From raw arrays to the one ``.npz``: chosen, divided, measured, written. Runs in the child process."""

from math import prod
from pathlib import Path

import numpy as np

from softmerge_core.data.base import MAX_CLASSES, SPLITS, Arrays, check_labels
from softmerge_core.data.forms.base import Asked, Form, Part, Raw, typed
from softmerge_core.data.importing.archives import unpacked
from softmerge_core.data.importing.splits import Picks, divide
from softmerge_core.data.importing.wishes import Wishes
from softmerge_core.data.limits import HOW, MAX_BYTES
from softmerge_core.data.scaling import channel_scale
from softmerge_core.errors import DataError, short


def make(form: Form, source: Path, wishes: Wishes, asked: Asked, target: Path) -> None:
    """Read ``source``, a folder, a file or a .zip of either, and write a data file; raises DataError and OSError."""
    with typed(asked.called, f"the form {form.title}"):
        raw = form.read(unpacked(source, asked), asked)
        parts = {name: found for name in SPLITS if (found := getattr(raw, name)) is not None}
        _check(parts, raw, asked)
        labels = {name: found.labels for name, found in parts.items()}
        picks = divide(labels, wishes.samples, wishes.validation, wishes.seed, asked.called)
        _check_size(picks, raw.train.shape, asked)
        arrays = _arrays(picks, parts)
    arrays["mean"], arrays["sd"] = channel_scale(arrays["train_inputs"])
    arrays["class_names"] = np.array([short(name, 100) or "?" for name in raw.class_names])
    arrays["origin"] = np.array(_origin(form, raw, parts, picks, wishes, asked))
    asked.tell("Writing the data file", None)
    with target.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type] # numpy's own keyword has no such name


def _check(parts: dict[str, Part], raw: Raw, asked: Asked) -> None:
    if not 1 <= len(raw.class_names) <= MAX_CLASSES:
        raise DataError(f"{asked.called}: expected 1 to {MAX_CLASSES:,} classes, got {len(raw.class_names):,}")
    for name, found in parts.items():
        if not len(found.labels) or not all(found.shape):
            raise DataError(f"{asked.called}: expected {name} samples, got none")
        if found.shape != raw.train.shape:
            raise DataError(f"{asked.called}: expected {name} samples of shape {raw.train.shape}, got {found.shape}")
        check_labels(asked.called, name, found.labels, len(raw.class_names))


def _check_size(picks: Picks, shape: tuple[int, ...], asked: Asked) -> None:
    """Raise DataError that says how many samples fit, before any is read."""
    count, each = sum(len(chosen) for _, chosen in picks.values()), 4 * prod(shape) + 8
    if count * each > MAX_BYTES:
        raise DataError(
            f"{asked.called}: {count:,} samples of shape {shape} take {count * each:,} bytes as 32-bit floats, more "
            f"than the {MAX_BYTES:,} allowed: take at most {MAX_BYTES // each:,}, {HOW.partition(', ')[2]}"
        )


def _arrays(picks: Picks, parts: dict[str, Part]) -> Arrays:
    arrays: Arrays = {}
    for split, (part, chosen) in picks.items():
        arrays[f"{split}_inputs"] = np.ascontiguousarray(parts[part].inputs(chosen))
        arrays[f"{split}_labels"] = parts[part].labels[chosen]
    return arrays


def _origin(form: Form, raw: Raw, parts: dict[str, Part], picks: Picks, wishes: Wishes, asked: Asked) -> str:
    """Return where the data are from and what was done with them, in a sentence."""
    there, taken = sum(len(found.labels) for found in parts.values()), sum(len(chosen) for _, chosen in picks.values())
    told = [f"{form.title} from {asked.called}"]
    if taken < there:
        told.append(f"{taken:,} of {there:,} samples")
    if made := [split for split in ("validation", "test") if split not in parts]:
        told.append(f"{' and '.join(made)} split off with seed {wishes.seed}")
    return short("; ".join([*told, *raw.notes]), 1000)
