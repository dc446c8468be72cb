"""All sources as one matrix, and the merged network as views into one vector, so that gate steps are cheap.

The merged weights are ``sum_k w[part, k] * theta[k]``; after an ordinary backward pass through the network the
gradient of ``w`` is one product of the sources with the gradient of the merged vector, so autograd never sees K.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from softmerge_core.anatomy import Layer, Partition, Slot, describe
from softmerge_core.evaluation import BATCHNORM_SAMPLES, reestimate_batchnorm


@dataclass(frozen=True)
class _Run:
    """A run of the flat vector, [repeats, rows, width], governed by ``rows`` gate rows from ``first`` on."""

    start: int
    stop: int
    first: int
    rows: int
    repeats: int


@dataclass(frozen=True, eq=False)
class Block:
    """A run's views, made once: ``sources`` [n, K, width], ``merged`` and ``gradient`` [n, 1, width], n = repeats * rows.

    It is governed by the gate rows ``rows``.
    """

    rows: slice
    repeats: int
    sources: Tensor
    merged: Tensor
    gradient: Tensor

    def write(self, weights: Tensor) -> None:
        """Write the mixture with ``weights`` [parts, K]."""
        rows = weights[self.rows].unsqueeze(1)
        if self.repeats > 1:
            rows = rows.repeat(self.repeats, 1, 1)
        torch.bmm(rows, self.sources, out=self.merged)

    def add_gradient(self, result: Tensor) -> None:
        """Add the gradient of the loss in the weights [parts, K] to ``result``."""
        if len(self.sources) == 1:
            result[self.rows] += self.sources[0] @ self.gradient[0, 0]
            return
        products = torch.bmm(self.gradient, self.sources.transpose(1, 2)).squeeze(1)
        if self.repeats > 1:
            products = products.view(self.repeats, -1, products.shape[1]).sum(0)
        result[self.rows] += products


class FlatSources:
    """The frozen sources, and one working network whose parameters and gradients are views into flat vectors.

    ``sources``: modules of one architecture, never modified; ``layers``: their anatomy.
    ``network`` is a copy of the first whose weights are whatever was merged last.
    """

    def __init__(self, sources: Sequence[nn.Module], layers: tuple[Layer, ...], device: str = "cpu") -> None:
        self.layers = layers
        self.network = copy.deepcopy(sources[0]).to(device).requires_grad_(True)
        self.slots = [slot for layer in layers for slot in layer.slots]
        first = dict(self.network.named_parameters())
        dtype = first[self.slots[0].name].dtype
        self.dtype = dtype if dtype == torch.float64 else torch.float32
        self.network.to(self.dtype)
        self.theta = torch.stack([self.flatten(source, device) for source in sources])
        self.merged = torch.zeros(self.theta.shape[1], dtype=self.dtype, device=device)
        self.gradient = torch.zeros_like(self.merged)
        self._point_into_flat()
        self._average_buffers(sources)

    def flatten(self, source: nn.Module, device: str = "cpu") -> Tensor:
        """A network's parameters [P] as one vector, in the order of ``theta``'s columns; channels come first."""
        parameters = dict(source.named_parameters())
        tensors = (_channels_first(parameters[slot.name].detach().to(device, self.dtype), slot) for slot in self.slots)
        return torch.cat([tensor.reshape(-1) for tensor in tensors])

    def _point_into_flat(self) -> None:
        parameters = dict(self.network.named_parameters())
        for slot, (start, stop) in zip(self.slots, self._spans(), strict=True):
            parameter = parameters[slot.name]
            parameter.data = _as_parameter(self.merged[start:stop], slot)
            parameter.grad = _as_parameter(self.gradient[start:stop], slot)

    def _spans(self) -> list[tuple[int, int]]:
        ends = torch.tensor([slot.size for slot in self.slots]).cumsum(0).tolist()
        return list(zip([0, *ends[:-1]], ends, strict=True))

    def _average_buffers(self, sources: Sequence[nn.Module]) -> None:
        """Set floating-point buffers to the sources' mean; those of BatchNorm are estimated again after every merge."""
        others = [dict(source.named_buffers()) for source in sources]
        for name, buffer in self.network.named_buffers():
            if buffer.is_floating_point():
                buffer.copy_(torch.stack([other[name].to(buffer) for other in others]).mean(0))

    def blocks(self, parts: Partition) -> list[Block]:
        """Return the pieces of the flat vector that ``parts`` governs; neighbours under one gate are joined."""
        return [self._views(run) for run in self._runs(parts)]

    def _views(self, run: _Run) -> Block:
        span, count = slice(run.start, run.stop), run.repeats * run.rows
        sources = self.theta[:, span].unflatten(1, (count, -1)).transpose(0, 1)
        merged, gradient = (vector[span].view(count, 1, -1) for vector in (self.merged, self.gradient))
        return Block(slice(run.first, run.first + run.rows), run.repeats, sources, merged, gradient)

    def _runs(self, parts: Partition) -> list[_Run]:
        runs: list[_Run] = []
        spans = iter(self._spans())
        for layer in self.layers:
            for slot in layer.slots:
                start, stop = next(spans)
                if layer.name in parts.rows:
                    _add_run(runs, _run(start, stop, slot, layer, *parts.rows[layer.name]))
        return runs

    def fix(self, choices: dict[str, str], kept: Sequence[int]) -> None:
        """Write the layers that are averaged or kept from one source; ``kept``: the sources' own numbers."""
        for layer in self.layers:
            if choices[layer.name] != "gate":
                self._write(self.layer_span(layer.name), _fixed_weights(choices[layer.name], kept).to(self.theta))

    def average(self) -> nn.Module:
        """Write the plain average of all sources, all layers; whatever was fixed or merged is overwritten."""
        self._write(slice(None), torch.full((len(self.theta),), 1 / len(self.theta)).to(self.theta))
        return self.network

    @torch.no_grad()
    def _write(self, span: slice, weights: Tensor) -> None:
        torch.mv(self.theta[:, span].T, weights, out=self.merged[span])

    def layer_span(self, name: str) -> slice:
        """The place of the layer in the flat vector; raises KeyError for an unknown name."""
        start = 0
        for layer in self.layers:
            if layer.name == name:
                return slice(start, start + layer.parameters)
            start += layer.parameters
        raise KeyError(name)

    @torch.no_grad()
    def merge(self, blocks: Sequence[Block], weights: Tensor) -> None:
        """Write ``sum_k weights[part, k] * theta[k]`` into the network, for ``weights`` [parts, K]."""
        for block in blocks:
            block.write(weights)

    @torch.no_grad()
    def weight_gradient(self, blocks: Sequence[Block], parts: int) -> Tensor:
        """The gradient [parts, K] of the loss in the mixing weights, from the network's own gradient."""
        result = torch.zeros(parts, len(self.theta), dtype=self.dtype, device=self.theta.device)
        for block in blocks:
            block.add_gradient(result)
        return result

    def detached_network(self, template: nn.Module) -> nn.Module:
        """Return an independent copy of the merged network, with the dtype, device and mode of ``template``."""
        result = copy.deepcopy(template)
        state = {name: value.detach().clone() for name, value in self.network.state_dict().items()}
        result.load_state_dict(state)
        return result


def plain_average(sources: Sequence[nn.Module], inputs: Tensor | None) -> nn.Module:
    """Return a new network with the mean of the weights of ``sources``, which stay as they are.

    BatchNorm's statistics are estimated on the first BATCHNORM_SAMPLES of the training ``inputs`` [N, ...]; None is
    for networks without BatchNorm.
    """
    flat = FlatSources(sources, describe(sources[0]))
    flat.average()
    network = flat.detached_network(sources[0])
    if inputs is not None:
        reestimate_batchnorm(network, inputs[:BATCHNORM_SAMPLES])
    return network


def _fixed_weights(choice: str, kept: Sequence[int]) -> Tensor:
    if choice == "average":
        return torch.full((len(kept),), 1 / len(kept))
    return torch.tensor([float(number == int(choice.removeprefix("keep:"))) for number in kept])


def _channels_first(tensor: Tensor, slot: Slot) -> Tensor:
    return tensor.movedim(slot.axis, 0) if slot.shape else tensor


def _as_parameter(flat: Tensor, slot: Slot) -> Tensor:
    if not slot.shape:
        return flat.view(())
    moved = (slot.shape[slot.axis], *slot.shape[: slot.axis], *slot.shape[slot.axis + 1 :])
    return flat.view(moved).movedim(0, slot.axis)


def _run(start: int, stop: int, slot: Slot, layer: Layer, first: int, rows: int) -> _Run:
    if rows == 1:
        return _Run(start, stop, first, 1, 1)
    if slot.channels == 0:
        return _Run(start, stop, first + layer.channels, 1, 1)
    return _Run(start, stop, first, slot.channels, slot.repeats)


def _add_run(runs: list[_Run], run: _Run) -> None:
    before = runs[-1] if runs else None
    if before and run.rows == before.rows == 1 and (before.stop, before.first) == (run.start, run.first):
        runs[-1] = _Run(before.start, run.stop, run.first, 1, 1)
    else:
        runs.append(run)
