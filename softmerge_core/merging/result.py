"""What goes into a soft merge and what comes out of it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from softmerge_core.anatomy import Partition
from softmerge_core.events import Event, Matrix
from softmerge_core.settings import SoftMergeSettings

StopReason = Literal["finished", "stopped", "non-finite loss"]


@dataclass(frozen=True)
class GateTable:
    """The final gates, [part][source]: P(z != 0), the gate z itself, and the share of the part that it amounts to.

    The merged part is ``scale * sum_k weight[k] * theta[k]``.
    A value of exactly 0 means closed, exactly 1 fully open. ``stage`` is their granularity;
    ``groups`` says per part in which layer or block it lies. Sources that were excluded have zeros.
    """

    stage: str
    parts: tuple[str, ...]
    groups: tuple[str, ...]
    sources: tuple[str, ...]
    probability: Matrix
    value: Matrix
    weight: Matrix
    scale: tuple[float, ...]

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
    ) -> "GateTable":
        """From tables [parts, kept] and scales [parts, 1]; sources not ``kept`` (positions in ``names``) get zeros."""

        def spread(table: Tensor) -> Matrix:
            full = torch.zeros(len(parts.names), len(names), dtype=torch.float64)
            full[:, list(kept)] = table.detach().double()
            return tuple(tuple(row) for row in full.tolist())

        tables = spread(probability), spread(value), spread(weight)
        scales = tuple(scale.detach().double().flatten().tolist())
        return cls(parts.granularity, parts.names, parts.groups, tuple(names), *tables, scales)

    def closed_sources(self) -> tuple[str, ...]:
        """Sources whose every gate is exactly 0."""
        columns = zip(self.sources, zip(*self.value, strict=True), strict=True) if self.value else ()
        return tuple(name for name, column in columns if not any(column))

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


@dataclass(frozen=True)
class Candidate:
    """One network that was considered: ``loss`` in nats and ``accuracy`` 0-1 on the validation data."""

    name: str
    title: str
    loss: float
    accuracy: float


@dataclass(frozen=True)
class MergeResult:
    """A merged network and how it came about.

    ``model``: of the sources' architecture, in evaluation mode; ``winner``: the candidate that it is;
    ``reason``: why, in one sentence; ``history``: every event of the run; ``excluded``: sources left out.
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
