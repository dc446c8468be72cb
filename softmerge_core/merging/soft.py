"""Soft merging: learn which source each part of a network should come from, by training gates and never a weight.

Chen, Wu, Nguyen, Liu, Yesha 2023 (arXiv 2309.12259). Read ``soft_merge`` first; everything else is a step of it.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from softmerge_core.alignment.scaling import one_scale
from softmerge_core.checkpoints.sources import LazySources
from softmerge_core.checks import (
    admit,
    check_architecture,
    check_base,
    check_merge_data,
    unique_names,
    usable_device,
)
from softmerge_core.data.base import MergeData
from softmerge_core.errors import SourceError
from softmerge_core.events import Event
from softmerge_core.memory import check_memory, merge_memory
from softmerge_core.merging.changes import Change
from softmerge_core.merging.hooks import Hooks, Watch
from softmerge_core.merging.pace import NOTHING_KNOWN, Ahead
from softmerge_core.merging.result import Candidate, GateTable, MergeResult
from softmerge_core.merging.staged import StagedMerge
from softmerge_core.merging.start import GateStart
from softmerge_core.settings import SoftMergeSettings

__all__ = ["Candidate", "GateTable", "MergeData", "MergeResult", "soft_merge"]


def soft_merge(
    sources: Sequence[nn.Module],
    data: MergeData,
    settings: SoftMergeSettings | None = None,
    *,
    names: Sequence[str] | None = None,
    base: nn.Module | None = None,
    changes: Sequence[Change] = (),
    on_event: Callable[[Event], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    observe: Callable[[nn.Module, int], None] | None = None,
    snapshot: bytes | None = None,
    on_snapshot: Callable[[bytes], None] | None = None,
    ahead: Ahead = NOTHING_KNOWN,
    take_change: Callable[[int], Change | None] | None = None,
    watch: Watch | None = None,
    start: GateStart | None = None,
) -> MergeResult:
    """Merge two or more ``sources`` of one architecture into one network by training gates over their frozen weights.

    ``sources`` are never modified, and looked at one at a time: a sequence may make them when they are asked for
    (``LazySources``). ``names`` are shown in events, tables and errors ("source 1", ... by default).
    ``base`` is the network all sources were trained from; only gates relative to it need it.
    ``changes`` of the settings take place on the way, each after its step, at rising steps before the last one.
    ``take_change(step)`` is asked before each step, after ``should_stop``, for one that nobody knew of before: at this
    step or later; ``changes`` after it are dropped then. A merge with the same changes from the beginning ends with the
    same bits.
    ``on_event`` receives every event; ``should_stop`` is asked before each step. ``observe(network, step)`` sees the
    merged network, without noise, at every evaluation and must not change it. ``on_snapshot`` receives a snapshot at
    every evaluation; pass the newest one as ``snapshot`` to resume an interrupted merge exactly. ``ahead`` is what the
    caller knows of the time to come, for events that tell what is left; it changes nothing else. ``watch`` gives each
    stage something that looks at its single steps (see ``watching``); what it raises ends the merge. ``start`` has the
    gates to begin with, for all sources at one granularity, instead of fresh ones.

    Granularity "auto" goes from coarse to fine and keeps what is simple unless something is surely better on the
    validation data (see ``candidates.choose``); a stage ends when it no longer improves. Any other granularity returns
    its gates as trained.
    The same arguments and seed on one CPU build give bit-identical gates and weights.

    Raises SourceError, DataError or SettingsError before any training starts, and ShortOfMemoryError if this machine
    has less memory free than the weights will take (see ``merge_memory``).
    """
    ready = admitted(sources, data, settings or SoftMergeSettings(), names, base)
    hooks = Hooks(on_event, should_stop, observe, on_snapshot, ahead, take_change, watch)
    kept = tuple(ready.outputs)
    merge = StagedMerge(
        sources, ready.scaled, data, ready.settings, ready.names, kept, hooks, base,
        changes=changes, start=start and start.of(kept, len(sources)),
    )  # fmt: skip
    outputs, notices = list(ready.outputs.values()), ready.notices
    del ready  # copies at another scale are in the matrix now
    return merge.run(outputs, notices, snapshot)


class Admitted(NamedTuple):
    """What may be merged: the sources that take part at one ``scaled``, and the ``outputs`` of each by its position.

    Outputs are log-probabilities [N, classes] on the validation data; ``notices`` are what the reader should know.
    """

    settings: SoftMergeSettings
    names: tuple[str, ...]
    scaled: LazySources
    outputs: dict[int, Tensor]
    notices: list[str]


def admitted(
    sources: Sequence[nn.Module],
    data: MergeData,
    settings: SoftMergeSettings,
    names: Sequence[str] | None,
    base: nn.Module | None,
) -> Admitted:
    """Check everything that ``soft_merge`` is given; raises SourceError, DataError or SettingsError."""
    settings = settings.model_copy(update={"device": usable_device(settings.device)})
    named = unique_names(names or [f"source {number}" for number in range(1, len(sources) + 1)])
    check_architecture(sources, named)
    check_merge_data(data, sources[0], named[0])
    _check_base(base, sources[0], named[0], settings)
    lazy = LazySources.of(sources)
    _check_memory(lazy, settings)
    outputs, notices = admit(sources, named, data.validation_inputs, settings.non_finite, settings.device)
    scaled, told = one_scale(lazy.pick(list(outputs)), [named[k] for k in outputs], data.train_inputs)
    return Admitted(settings, named, scaled, outputs, [*notices, *told])


def _check_memory(sources: LazySources, settings: SoftMergeSettings) -> None:
    """Raise ShortOfMemoryError where the matrix of the sources is to lie in this machine's own memory and cannot."""
    first = list(sources[0].parameters())
    stored = (sources.stored or torch.promote_types(first[0].dtype, torch.float32)).itemsize
    parameters = sum(parameter.numel() for parameter in first)
    needed = merge_memory(parameters, len(sources), stored, int(settings.relative))
    if settings.device == "cpu":
        check_memory(needed, f"merging {len(sources)} sources of {parameters:,} parameters")


def _check_base(base: nn.Module | None, first: nn.Module, name: str, settings: SoftMergeSettings) -> None:
    """Raise SourceError unless a base that is needed is there, finite and of the sources' architecture."""
    if not settings.relative:
        return
    if base is None:
        raise SourceError("gates relative to the base: expected the base model that sources started from, got none")
    check_base(base, first, name)
