"""The result of a soft merge: the merged network, its gates, and the candidates it was chosen from."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor, nn

from softmerge_core.anatomy import Partition
from softmerge_core.events import Event, Matrix
from softmerge_core.merging.changes import Change
from softmerge_core.settings import SoftMergeSettings

StopReason = Literal["finished", "stopped", "non-finite loss"]


@dataclass(frozen=True)
class GateTable:
    """The final gates, indexed [part][source].

    ``probability`` is P(z != 0), ``value`` the gate z (exactly 0: closed, exactly 1: fully open), and ``weight`` the
    source's share in the part: the merged part is ``scale * sum_k weight[k] * theta[k]``, or if ``relative``
    ``B + sum_k weight[k] * (theta[k] - B)`` with the base B. ``stage`` is the granularity; ``groups`` gives the layer
    or block of each part. Sources that were excluded have zeros.
    """

    stage: str
    parts: tuple[str, ...]
    groups: tuple[str, ...]
    sources: tuple[str, ...]
    probability: Matrix
    value: Matrix
    weight: Matrix
    scale: tuple[float, ...]
    relative: bool = False

    @classmethod
    def build(
        cls,
        parts: Partition,
        names: Sequence[str],
        kept: Sequence[int],
        probability: Tensor,
        value: Tensor,
        weight: Tensor,
        scale: Tensor,
        relative: bool = False,
    ) -> "GateTable":
        """Build the table from tables [parts, kept] and scales [parts, 1].

        ``kept`` are the positions in ``names`` of the sources that took part; the others get zeros.
        """

        def spread(table: Tensor) -> Matrix:
            full = torch.zeros(len(parts.names), len(names), dtype=torch.float64)
            full[:, list(kept)] = table.detach().double()
            return tuple(tuple(row) for row in full.tolist())

        tables = spread(probability), spread(value), spread(weight)
        scales = tuple(scale.detach().double().flatten().tolist())
        return cls(parts.granularity, parts.names, parts.groups, tuple(names), *tables, scales, relative)

    @classmethod
    def ungated(cls, whole: Partition, names: Sequence[str], kept: Sequence[int], taken: Sequence[bool]) -> "GateTable":
        """Build the table of a network that needs no gates: the plain average of the sources that are ``taken``."""
        values = torch.tensor([[float(each) for each in taken]])
        return cls.build(whole, names, kept, values, values, values / values.sum(), torch.ones(1, 1))

    def closed_sources(self) -> tuple[str, ...]:
        """Return the sources whose gates are all exactly 0."""
        columns = zip(self.sources, zip(*self.value, strict=True), strict=True) if self.value else ()
        return tuple(name for name, column in columns if not any(column))

    def as_json(self) -> dict[str, Any]:
        """Return the table as plain values."""
        return asdict(self)


@dataclass(frozen=True)
class Candidate:
    """One network that was considered, with its ``loss`` (nats) and ``accuracy`` (0-1) on the validation data.

    ``each`` are the losses of the single samples, and ``right`` tells which it classifies correctly.
    """

    name: str
    title: str
    loss: float
    accuracy: float
    each: tuple[float, ...] = field(default=(), repr=False)
    right: tuple[bool, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class MergeResult:
    """A merged network and its history.

    ``model`` has the sources' architecture and is in evaluation mode; ``winner`` names the candidate it is, and
    ``reason`` says why in one sentence; ``history`` holds every event of the merge, of reports of gates with very many
    parts only some; ``excluded`` are the sources that were left out. ``controls`` are networks that were only rescaled:
    "best_source_rescaled" and "average_rescaled", if rescaling was asked for. ``settings`` are those that it began
    with, and ``changes`` those that were made on the way.
    """

    model: nn.Module
    gates: GateTable
    history: tuple[Event, ...]
    stop_reason: StopReason
    settings: SoftMergeSettings
    winner: str
    reason: str
    candidates: dict[str, Candidate]
    best_source: str
    excluded: tuple[str, ...] = ()
    controls: dict[str, nn.Module] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()
