"""Loss and error of one architecture as functions of its weights, at many points of weight space.

There are two ways to the same numbers: batches of weights (``torch.func``: one call for many networks), or one
network after the other. ``python -m benchmarks.landscape`` times both: batches win if layers are small matrix
products. They lose if there are convolutions, whose batched form (grouped convolution) is slower on a CPU.
"""

import copy
from collections.abc import Iterator, Mapping
from typing import Literal

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap
from torch.nn.modules.batchnorm import _BatchNorm

from softmerge_core.errors import SettingsError
from softmerge_core.evaluation import BATCH, has_batchnorm, predict, reestimate_batchnorm, score

How = Literal["auto", "batched", "single"]
Splits = Mapping[str, tuple[Tensor, Tensor]]
AT_ONCE = 16_384  # networks x samples in one batched call, which limits its memory


def weights_of(network: nn.Module) -> Tensor:
    """Return all parameters, each once, as one vector [P] of the first one's dtype."""
    return nn.utils.parameters_to_vector(parameter.detach().contiguous() for parameter in network.parameters())


def batchable(network: nn.Module) -> bool:
    """Tell whether batches of weights are the faster way, which they are if all parameters lie in linear layers."""
    holders = (m for m in network.modules() if any(True for _ in m.parameters(recurse=False)))
    return all(isinstance(module, nn.Linear) for module in holders)


class Surface:
    """The landscape of ``network``'s architecture over ``splits``: name -> (inputs [N, ...], labels [N]).

    BatchNorm statistics are estimated again on ``statistics`` [M, ...] at every point. ``network`` is not changed.
    ``how``: "batched" evaluates many points in one call, "single" one after the other, "auto" chooses the faster way.
    """

    def __init__(self, network: nn.Module, splits: Splits, statistics: Tensor, how: How = "auto") -> None:
        self.network = copy.deepcopy(network).cpu().eval().requires_grad_(False)
        self.splits = {name: (_fast(inputs), labels) for name, (inputs, labels) in splits.items()}
        self.statistics = _fast(statistics)
        self.batched = batchable(network) if how == "auto" else how == "batched"
        if self.batched and any(isinstance(module, nn.RNNBase) for module in self.network.modules()):
            raise SettingsError("how: recurrent networks cannot be evaluated in batches of weights")
        self.flat = weights_of(self.network)
        nn.utils.vector_to_parameters(self.flat, self.network.parameters())  # each becomes a view into the vector

    def at(self, points: Tensor) -> dict[str, Tensor]:
        """Return for each split the loss (nats) and error (0-1) [B, 2] at each of ``points`` [B, P], in float64."""
        rows: dict[str, list[tuple[float, float]]] = {name: [] for name in self.splits}
        for chunk in self._chunks(points.to(self.flat)):
            for name, found in (self._together(chunk) if self.batched else self._one(chunk[0])).items():
                rows[name] += found
        return {name: torch.tensor(found, dtype=torch.float64).view(-1, 2) for name, found in rows.items()}

    def _chunks(self, points: Tensor) -> Iterator[Tensor]:
        samples = max([len(self.statistics), *(len(labels) for _, labels in self.splits.values())])
        yield from points.split(max(1, AT_ONCE // min(samples, BATCH)) if self.batched else 1)

    def _one(self, point: Tensor) -> dict[str, list[tuple[float, float]]]:
        self.flat.copy_(point)
        reestimate_batchnorm(self.network, self.statistics)
        return {name: [_pair(predict(self.network, x), y)] for name, (x, y) in self.splits.items()}

    @torch.no_grad()
    def _together(self, points: Tensor) -> dict[str, list[tuple[float, float]]]:
        own = dict(self.network.named_parameters())
        parts = points.split([parameter.numel() for parameter in own.values()], dim=1)
        state = {key: part.view(-1, *own[key].shape) for key, part in zip(own, parts, strict=True)}
        state |= self._statistics(state, len(points))
        found = {}
        for name, (inputs, labels) in self.splits.items():
            logits = torch.cat([self._outputs(state, batch) for batch in inputs.split(BATCH)], 1)
            found[name] = [_pair(own, labels) for own in logits]
        return found

    def _outputs(self, state: dict[str, Tensor], inputs: Tensor) -> Tensor:
        """Return the logits [B, N, classes] of the networks whose tensors ``state`` holds, each [B, ...]."""
        outputs: Tensor = vmap(lambda own: functional_call(self.network, own, (inputs,)))(state)
        return outputs

    def _statistics(self, state: dict[str, Tensor], count: int) -> dict[str, Tensor]:
        """Return every network's BatchNorm buffers [B, ...]: averages over batches, as in ``reestimate_batchnorm``."""
        norms = [module for module in self.network.modules() if isinstance(module, _BatchNorm)]
        if not has_batchnorm(self.network) or len(self.statistics) < 2:
            return {}
        buffers = {name: b.expand(count, *b.shape).clone() for name, b in self.network.named_buffers()}
        momenta = [norm.momentum for norm in norms]
        batches = [batch for batch in self.statistics.split(BATCH) if len(batch) > 1]
        for number, batch in enumerate(batches):
            for norm in norms:
                norm.momentum = 1 / (number + 1)  # the cumulative average, which vmap cannot compute itself
                norm.train()
            self._outputs({**state, **buffers}, batch)
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
            norm.eval()
        return buffers


def _fast(inputs: Tensor) -> Tensor:
    """Store images with their channels last in memory; convolutions of small networks then take a third less time."""
    return inputs.contiguous(memory_format=torch.channels_last) if inputs.dim() == 4 else inputs


def _pair(logits: Tensor, labels: Tensor) -> tuple[float, float]:
    accuracy, loss = score(logits, labels)
    return loss, 1 - accuracy


@torch.no_grad()
def network_at(template: nn.Module, point: Tensor, statistics: Tensor) -> nn.Module:
    """Return a copy of ``template`` with the weights ``point`` [P] and BatchNorm estimated again on ``statistics``."""
    result, start = copy.deepcopy(template), 0
    for parameter in result.parameters():
        parameter.copy_(point[start : start + parameter.numel()].view(parameter.shape))
        start += parameter.numel()
    reestimate_batchnorm(result, statistics)
    return result.eval()
