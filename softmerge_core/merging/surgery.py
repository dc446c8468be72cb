"""Surgery on a merge: what its network would be with some gates forced open or shut by hand. No gate is trained."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from softmerge_core.anatomy import partition
from softmerge_core.data.base import MergeData
from softmerge_core.errors import SettingsError
from softmerge_core.gates import logit_of_open_probability
from softmerge_core.merging.changes import LAST, Change, in_force
from softmerge_core.merging.forced import Forced, force_table, refused
from softmerge_core.merging.gate_training import GateTraining
from softmerge_core.merging.hooks import Hooks
from softmerge_core.merging.result import GateTable
from softmerge_core.merging.snapshots import load_progression
from softmerge_core.merging.soft import admitted
from softmerge_core.merging.staged import StagedMerge
from softmerge_core.merging.start import FAR, edges
from softmerge_core.settings import SoftMergeSettings


def open_merge(
    sources: Sequence[nn.Module],
    data: MergeData,
    settings: SoftMergeSettings,
    *,
    names: Sequence[str],
    base: nn.Module | None = None,
) -> StagedMerge:
    """The matrix of the sources and everything beside it, as ``soft_merge`` makes them; raises what it does."""
    ready = admitted(sources, data, settings, names, base)
    kept = tuple(ready.outputs)
    merge = StagedMerge(sources, ready.scaled, data, ready.settings, ready.names, kept, Hooks(), base)
    merge.flat.fix(merge.choices, kept)
    return merge


class Surgery:
    """A merge whose gates can be forced: ``table`` has them as they were learned, over all sources of the merge.

    ``logits``: their log alpha [parts, sources]; ``step``: that of a merge under way. ``whole``: the network that the
    merge kept, where it needed no gates; it is what there is with nothing forced.
    """

    def __init__(
        self,
        merge: StagedMerge,
        table: GateTable,
        logits: Tensor,
        step: int | None = None,
        whole: nn.Module | None = None,
    ) -> None:
        self.merge, self.table, self.logits, self.step, self.whole = merge, table, logits, step, whole
        parts = partition(merge.gated, table.stage)
        if parts.names != table.parts or table.sources != merge.names:
            raise SettingsError(
                f"gates: expected {len(parts.names)} parts of {len(merge.names)} sources as this merge has, "
                f"got {len(table.parts)} of {len(table.sources)}"
            )
        self.parts = parts
        self._blocks = merge.flat.blocks(parts, merge.base if table.relative else None)
        kept, dtype = list(merge.kept), merge.flat.dtype
        self.value = torch.tensor(table.value, dtype=torch.float64)
        self._value, self._share = (
            torch.tensor(found, dtype=torch.float64)[:, kept].to(dtype) for found in (table.value, table.weight)
        )
        self._scale = torch.tensor(table.scale, dtype=torch.float64).to(dtype).unsqueeze(1)

    def weights(self, forced: Sequence[Forced]) -> Tensor:
        """The mixing weights [parts, kept sources]: rows in which nothing is forced stay as they are, bit for bit.

        Raises SettingsError for gates that are not there, of sources that do not take part, and where all gates of a
        part would be shut.
        """
        table = force_table(forced, *self.value.shape)
        self._check(table)
        wanted = torch.from_numpy(table)[:, list(self.merge.kept)].to(self._value)
        gates = torch.where(wanted.isnan(), self._value, wanted)
        normalise = self.merge.settings.normalise and not self.table.relative
        shares = gates / gates.sum(1, keepdim=True) if normalise else gates
        touched = ~wanted.isnan().all(1, keepdim=True)
        return torch.where(touched, shares, self._share) * self._scale

    def _check(self, table: np.ndarray) -> None:
        left_out = [k for k in range(table.shape[1]) if k not in self.merge.kept]
        for source in left_out:
            if not np.isnan(table[:, source]).all():
                name = self.table.sources[source]
                raise SettingsError(f"forced gates: expected sources that take part, got {name!r}, which was left out")
        if not self.table.relative and (said := refused(self.value.numpy(), table, self.table.parts)):
            raise SettingsError(said)

    def network(self, forced: Sequence[Forced] = ()) -> nn.Module:
        """The merged network with these gates forced, of the sources' architecture, its BatchNorm estimated again."""
        weights = self.weights(forced)
        if not forced and self.whole is not None:
            return self.whole
        self._blocks.write(weights.to(self.merge.flat.theta.device))
        self.merge.judge.renew(self.merge.flat.network)
        return self.merge.flat.detached_network(self.merge.sources[0]).eval()


def of_result(
    merge: StagedMerge, table: GateTable, *, temperature: float, trained: bool = True, whole: nn.Module | None = None
) -> Surgery:
    """Surgery on what a merge came to. ``temperature``: the one that P(open) in the ``table`` was told with.

    ``trained``: whether its gates were; those of the plain average or the best source begin near their edges.
    """
    stretch = merge.settings.stretch
    shift = logit_of_open_probability(0.5, temperature, stretch)
    logits = (torch.tensor(table.probability, dtype=torch.float64).logit() + shift).clamp(-FAR, FAR)
    if not trained:
        logits = logits.clamp(*edges(stretch))
    return Surgery(merge, table, logits, whole=whole)


def of_snapshot(merge: StagedMerge, snapshot: bytes) -> Surgery:
    """Surgery on a merge under way, as it stood at its newest ``snapshot``; raises RunError for a damaged one."""
    at = load_progression(snapshot, torch.Generator())
    plan = merge.plans.get(at.stage)
    if plan is None:
        raise SettingsError(f"snapshot: expected one of the stages {', '.join(merge.plans)}, got {at.stage!r}")
    settings = in_force(merge.settings, map(Change.model_validate, at.changes), LAST)
    start, scale = at.training["log_alpha"], at.training["log_scale"]
    base = merge.base if plan.relative else None
    gates = GateTraining(merge.flat, plan.parts, settings, merge.generator, start, scale, base=base).gates
    tables = gates.probability_open(), gates.values(), gates.shares()
    table = GateTable.build(plan.parts, merge.names, merge.kept, *tables, gates.scale(), plan.relative)
    logits = torch.full((len(table.parts), len(table.sources)), -FAR, dtype=torch.float64)
    logits[:, list(merge.kept)] = gates.log_alpha.detach().double()
    return Surgery(merge, table, logits, step=at.step)
