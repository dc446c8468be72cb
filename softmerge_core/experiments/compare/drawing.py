"""A few labelled samples, drawn from all that there are. Loads torch."""

import torch
from torch import Tensor

from softmerge_core.data import Data
from softmerge_core.data.base import MergeData
from softmerge_core.errors import DataError

APART = 1_000_003  # keeps the draws' seeds from those that methods have


def drawn(data: Data, number: int, seed: int) -> MergeData:
    """``number`` of the training and validation samples, half of them to train and half to validate.

    The same seed gives the same samples, and fewer of them are among the more. Raises DataError if there are not so
    many.
    """
    total = len(data.train_labels) + len(data.validation_labels)
    if number > total:
        raise DataError(f"expected at most the {total:,} training and validation samples, got {number:,}")
    order = torch.randperm(total, generator=torch.Generator().manual_seed(APART + seed))[:number]
    return MergeData(*_taken(data, order[::2]), *_taken(data, order[1::2]))


def _taken(data: Data, places: Tensor) -> tuple[Tensor, Tensor]:
    """(inputs, labels) at ``places`` among the training samples and, after them, the validation samples."""
    first = len(data.train_labels)
    train, validation = places[places < first], places[places >= first] - first
    inputs = torch.cat([data.train_inputs[train], data.validation_inputs[validation]])
    return inputs, torch.cat([data.train_labels[train], data.validation_labels[validation]])
