"""A merge run opened for surgery: its sources and samples in memory, so that each change by hand is scored at once.

Loads torch.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import nn

from softmerge_core.anatomy import Layer, partition
from softmerge_core.checkpoints.copies import copy_with
from softmerge_core.data import load_data
from softmerge_core.errors import RunError
from softmerge_core.evaluation import lowest_loss, predict, score
from softmerge_core.experiments.aligning import align_to_best
from softmerge_core.experiments.loading import base_of, lazy_sources
from softmerge_core.experiments.merge.run import boundary, layer_table, plane_extent
from softmerge_core.experiments.merge.scores import SPLITS, others_of
from softmerge_core.experiments.merge.spec import MergeSpec
from softmerge_core.experiments.scoring import correctness
from softmerge_core.memory import SINGLE, merge_memory
from softmerge_core.merging.changes import LAST, in_force
from softmerge_core.merging.forced import Forced
from softmerge_core.merging.result import GateTable
from softmerge_core.merging.summary import is_large
from softmerge_core.merging.surgery import of_result, of_snapshot, open_merge

UNGATED = ("average", "best_source")  # what a merge may keep instead of trained gates
Scores = dict[str, dict[str, Any]]


class OpenedRun:
    """A run with a ``result``, or else its newest ``snapshot``. ``weights``: the files it kept, by their names.

    Raises what loading its sources and data raises, and RunError where there are no gates yet.
    """

    def __init__(
        self, spec: MergeSpec, result: Mapping[str, Any] | None, snapshot: bytes | None, weights: Mapping[str, Path]
    ) -> None:
        if result is None and snapshot is None:
            raise RunError("this run has no gates yet: expected a result or a snapshot of its way")
        self.spec, self.data = spec, load_data(spec.data)
        loaded, self.names = lazy_sources(spec.sources)
        self.modules = align_to_best(loaded, self.data, spec.align)
        settings = spec.settings.model_copy(update={"device": "cpu"})
        base = base_of(spec.sources) if settings.relative else None
        merge = open_merge(self.modules, self.data.for_merging(), settings, names=self.names, base=base)
        self.sound = list(merge.kept)
        if result is not None:
            table, winner = _table(result, weights, merge.gated), str(result.get("winner"))
            temperature = in_force(spec.settings, spec.changes, LAST).temperature
            whole = self._kept(weights) if winner in UNGATED else None
            self.surgery = of_result(merge, table, temperature=temperature, trained=winner not in UNGATED, whole=whole)
        else:
            self.surgery = of_snapshot(merge, snapshot or b"")

    def _kept(self, weights: Mapping[str, Path]) -> nn.Module | None:
        path = weights.get("merged")
        return copy_with(self.modules[0], load_file(path)).eval() if path else None

    @property
    def size(self) -> int:
        """About how many bytes it holds."""
        first = self.modules[0]
        numbers = sum(tensor.numel() for tensor in first.parameters())
        samples = sum(tensor.nbytes for tensor in (self.data.train_inputs, self.data.validation_inputs))
        return merge_memory(numbers, len(self.modules), SINGLE) + samples

    @cached_property
    def told(self) -> dict[str, Any]:
        """What a page needs once: the gates as they were learned, the networks beside them, and their scores."""
        table, others = self.surgery.table, others_of(self.modules, self.sound, self.data)
        validation = [self._scores(outputs) for outputs in others.outputs]
        best = self.sound[lowest_loss([validation[k]["validation"]["loss"] for k in self.sound])]
        average = self._scores({split: predict(others.average, self.data.split(split)[0]) for split in SPLITS})
        return {
            "step": self.surgery.step,
            "gates": layer_table(table) if is_large(self.surgery.parts, len(table.sources)) else table.as_json(),
            "parts": len(table.parts),
            "sound": self.sound,
            "best_source": self.names[best],
            "samples": {split: len(self.data.split(split)[1]) for split in SPLITS},
            "scores": {"learned": self.forced(()), "average": average, "best_source": validation[best]},
        }

    def forced(self, forced: Sequence[Forced]) -> Scores:
        """The scores of the network with these gates forced; for data in the plane also its "boundary".

        Raises SettingsError where they cannot be forced so.
        """
        network = self.surgery.network(forced)
        found = self._scores({split: predict(network, self.data.split(split)[0]) for split in SPLITS})
        if extent := plane_extent(self.data):
            found["boundary"] = boundary(network, extent, self.surgery.step or 0).model_dump()
        return found

    def _scores(self, outputs: Mapping[str, torch.Tensor]) -> Scores:
        """Accuracy (0-1), loss (nats) and which samples are right, of each split."""
        found: Scores = {}
        for split, made in outputs.items():
            labels = self.data.split(split)[1]
            accuracy, loss = score(made, labels)
            found[split] = {"accuracy": accuracy, "loss": loss, "correct": correctness(made, labels)}
        return found

    def start(self) -> dict[str, Any]:
        """What ``continued`` needs of the gates."""
        table = self.surgery.table
        return {
            "logits": np.round(self.surgery.logits.numpy(), 9).tolist(),
            "factors": list(table.scale),
            "granularity": table.stage,
            "relative": table.relative,
            "step": self.surgery.step,
        }


def _table(result: Mapping[str, Any], weights: Mapping[str, Path], gated: tuple[Layer, ...]) -> GateTable:
    """The exact gates of a result; those of very many parts lie among its weights."""
    gates = dict(result["gates"])
    if not gates.get("sizes"):
        names = ("stage", "parts", "groups", "sources", "probability", "value", "weight", "scale", "relative")
        return GateTable(**{name: _fixed(gates[name]) for name in names})
    if "gates" not in weights:
        raise RunError("this run did not keep its single gates: expected a file of them among its weights")
    tables = {name: _fixed(table.tolist()) for name, table in load_file(weights["gates"]).items()}
    parts = partition(gated, gates["stage"])
    told = {"stage": gates["stage"], "sources": tuple(gates["sources"]), "relative": gates["relative"]}
    return GateTable(parts=parts.names, groups=parts.groups, **told, **tables)


def _fixed(value: Any) -> Any:
    return tuple(map(_fixed, value)) if isinstance(value, list) else value
