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
class _Block:
    """A run of the flat vector, [repeats, rows, width], governed by ``rows`` gate rows from ``first`` on."""

    start: int
    stop: int
    first: int
    rows: int
    repeats: int


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

    def blocks(self, parts: Partition) -> list[_Block]:
        """Return the runs of the flat vector that ``parts`` governs; neighbours under one gate are joined."""
        blocks: list[_Block] = []
        spans = iter(self._spans())
        for layer in self.layers:
            for slot in layer.slots:
                start, stop = next(spans)
                if layer.name in parts.rows:
                    self._add_block(blocks, _block(start, stop, slot, layer, *parts.rows[layer.name]))
        return blocks

    @staticmethod
    def _add_block(blocks: list[_Block], block: _Block) -> None:
        before = blocks[-1] if blocks else None
        if before and block.rows == before.rows == 1 and (before.stop, before.first) == (block.start, block.first):
            blocks[-1] = _Block(before.start, block.stop, block.first, 1, 1)
        else:
            blocks.append(block)

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
    def merge(self, blocks: Sequence[_Block], weights: Tensor) -> None:
        """Write ``sum_k weights[part, k] * theta[k]`` into the network, for ``weights`` [parts, K]."""
        for block in blocks:
            rows, target = (
                weights[block.first : block.first + block.rows],
                self.merged[block.start : block.stop],
            )
            if block.rows == 1:
                self._write(slice(block.start, block.stop), rows[0])
            else:
                shape = (block.repeats, block.rows, -1)
                source = self.theta[:, block.start : block.stop].view(len(self.theta), *shape)
                target.view(shape).copy_((source * rows.T[:, None, :, None]).sum(0))

    @torch.no_grad()
    def weight_gradient(self, blocks: Sequence[_Block], parts: int) -> Tensor:
        """The gradient [parts, K] of the loss in the mixing weights, from the network's own gradient."""
        result = torch.zeros(parts, len(self.theta), dtype=self.dtype, device=self.theta.device)
        for block in blocks:
            source, gradient = (
                self.theta[:, block.start : block.stop],
                self.gradient[block.start : block.stop],
            )
            if block.rows == 1:
                result[block.first] += source @ gradient
            else:
                shape = (block.repeats, block.rows, -1)
                product = (source.view(len(source), *shape) * gradient.view(shape)).sum((1, 3))
                result[block.first : block.first + block.rows] += product.T
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


def _block(start: int, stop: int, slot: Slot, layer: Layer, first: int, rows: int) -> _Block:
    if rows == 1:
        return _Block(start, stop, first, 1, 1)
    if slot.channels == 0:
        return _Block(start, stop, first + layer.channels, 1, 1)
    return _Block(start, stop, first, slot.channels, slot.repeats)
