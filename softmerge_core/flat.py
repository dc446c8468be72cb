"""All sources as one matrix, and the merged network as views into one vector, so that gate steps are cheap.

The merged weights are ``sum_k w[part, k] * theta[k]``; after an ordinary backward pass through the network the
gradient of ``w`` is one product of the sources with the gradient of the merged vector, so autograd never sees K.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from softmerge_core.anatomy import Layer, Partition, Slot, describe
from softmerge_core.checkpoints.copies import copy_with, emptied
from softmerge_core.evaluation import BATCHNORM_SAMPLES, reestimate_batchnorm
from softmerge_core.structure.sameness import all_tensors


@dataclass(frozen=True)
class _Run:
    """A run of the flat vector, [repeats, rows, width], governed by ``rows`` gate rows from ``first`` on."""

    start: int
    stop: int
    first: int
    rows: int
    repeats: int


_Piece = tuple[Tensor, Tensor, Tensor, Tensor | None]  # see Blocks._views
CUT = 2**20  # numbers of a matrix of half precision that are widened at a time


class Blocks:
    """The pieces of the flat vector that ``parts`` governs, as views that are made once.

    Each piece is [n, width] with a gate row for each of its n rows; ``index`` tells which, for all pieces. Buffers
    follow their layer: they take the mean weights of its rows. With a ``base`` [P] weights count from there on.
    """

    def __init__(self, flat: "FlatSources", parts: Partition, base: Tensor | None = None) -> None:
        self.flat, self.parts, self.base = flat, len(parts.names), base
        runs = flat.runs(parts)
        each = [torch.arange(run.first, run.first + run.rows).repeat(run.repeats) for run in runs]
        self.pieces = [self._views(run, len(rows)) for run, rows in zip(runs, each, strict=True)]
        if flat.theta.dtype != flat.dtype:
            each, self.pieces = _cut(each, self.pieces)
        self.index = torch.cat(each).to(flat.theta.device)
        self.sizes = [len(rows) for rows in each]
        self.buffers = [(span, _rows(parts, layer)) for span, layer in flat.buffers if layer in parts.rows]

    def _views(self, run: _Run, size: int) -> "_Piece":
        """The sources [n, K, width]; the merged weights, their gradient and the base's weights [n, 1, width]."""
        span = slice(run.start, run.stop)
        sources = self.flat.theta[:, span].unflatten(1, (size, -1)).transpose(0, 1)
        merged, gradient = (vector[span].view(size, 1, -1) for vector in (self.flat.merged, self.flat.gradient))
        return sources, merged, gradient, None if self.base is None else self.base[span].view(size, 1, -1)

    def _wide(self) -> Iterable[_Piece]:
        """The pieces, one at a time no longer in half precision."""
        if self.flat.theta.dtype == self.flat.dtype:
            return self.pieces
        return ((sources.to(self.flat.dtype), *others) for sources, *others in self.pieces)  # type: ignore[misc]

    @torch.no_grad()
    def write(self, weights: Tensor) -> None:
        """Write ``sum_k w[part, k] theta_k`` into the network, or ``B + sum_k w[part, k] (theta_k - B)``.

        ``weights`` w are [parts, K].
        """
        rows = weights[self.index].unsqueeze(1).split(self.sizes)
        for row, (sources, merged, _, base) in zip(rows, self._wide(), strict=True):
            torch.bmm(row, sources, out=merged)
            if base is not None:
                merged.addcmul_(base, 1 - row.sum(2, keepdim=True))
        for span, part in self.buffers:
            self.flat.write(span, weights[part].mean(0), self.base)

    @torch.no_grad()
    def weight_gradient(self) -> Tensor:
        """The gradient [parts, K] of the loss in the mixing weights, from the network's own gradient."""
        products = [_products(sources, gradient, base) for sources, _, gradient, base in self._wide()]
        result = self.flat.merged.new_zeros(self.parts, len(self.flat.theta))
        result.index_add_(0, self.index, torch.cat(products))
        for span, part in self.buffers:
            difference = self.flat.theta[:, span].to(self.flat.dtype) - (0 if self.base is None else self.base[span])
            result[part] += difference @ self.flat.gradient[span] / (part.stop - part.start)
        return result


def _cut(each: Sequence[Tensor], pieces: Sequence[_Piece]) -> tuple[list[Tensor], list[_Piece]]:
    """Return the gate rows and pieces cut into smaller ones, of at most CUT numbers where a piece has several rows."""
    rows: list[Tensor] = []
    cut: list[_Piece] = []
    for index, (sources, merged, gradient, base) in zip(each, pieces, strict=True):
        dim = 0 if len(index) > 1 else 2
        length = sources.shape[dim]
        most = max(1, CUT * length // max(1, sources.numel()))
        for start in range(0, length, most):
            size = min(most, length - start)
            rows.append(index[start : start + size] if dim == 0 else index)
            own = [tensor.narrow(dim, start, size) for tensor in (sources, merged, gradient)]
            cut.append((own[0], own[1], own[2], None if base is None else base.narrow(dim, start, size)))
    return rows, cut


def _rows(parts: Partition, layer: str) -> slice:
    first, count = parts.rows[layer]
    return slice(first, first + count)


def _products(sources: Tensor, gradient: Tensor, base: Tensor | None) -> Tensor:
    """The products [n, K] of the sources [n, K, width], counted from the base on, with the gradient [n, 1, width]."""
    if len(sources) == 1:
        found = (sources[0] @ gradient[0, 0]).unsqueeze(0)
    else:
        found = torch.bmm(gradient, sources.transpose(1, 2)).squeeze(1)
    return found if base is None else found - (gradient * base).sum(2)


class FlatSources:
    """The frozen sources, and one working network whose parameters and gradients are views into flat vectors.

    ``sources``: modules of one architecture, never modified; ``layers``: their anatomy. ``network`` is a copy of the
    first whose weights are whatever was merged last. Buffers with fractions in which the sources differ are mixed like
    weights, behind all layers; those of BatchNorm are not, for they are estimated again after every merge. The matrix
    ``theta`` [K, P] has the dtype ``stored``, or by default that of ``merged`` [P], which is never half precision.
    """

    def __init__(
        self,
        sources: Sequence[nn.Module],
        layers: tuple[Layer, ...],
        device: str = "cpu",
        stored: torch.dtype | None = None,
    ) -> None:
        self.layers = layers
        self.network = emptied(sources[0]).to(device).requires_grad_(True)
        dtype = dict(self.network.named_parameters())[layers[0].slots[0].name].dtype
        self.dtype = dtype if dtype == torch.float64 else torch.float32
        self.network.to(self.dtype)
        mixed = _mixed_buffers(sources)
        self.slots = [slot for layer in layers for slot in layer.slots] + mixed
        self.merged = torch.zeros(self._spans()[-1][1], dtype=self.dtype, device=device)
        self.gradient = torch.zeros_like(self.merged)
        self._point_into_flat()
        self.theta = torch.empty(len(sources), len(self.merged), dtype=stored or self.dtype, device=device)
        for number in range(len(sources)):  # by number, so that none is held while the next one is read
            self._fill(self.theta[number], sources[number])
        places = zip(mixed, self._spans()[len(self.slots) - len(mixed) :], strict=True)
        self.buffers = [(slice(*span), _owner(slot.name, layers)) for slot, span in places]

    def flatten(self, source: nn.Module, device: str = "cpu") -> Tensor:
        """A network's weights [P] as one vector, in the order of ``theta``'s columns; channels come first."""
        row = torch.empty(self.theta.shape[1], dtype=self.dtype, device=device)
        self._fill(row, source)
        return row

    @torch.no_grad()
    def _fill(self, row: Tensor, source: nn.Module) -> None:
        own = all_tensors(source)
        for slot, (start, stop) in zip(self.slots, self._spans(), strict=True):
            _as_parameter(row[start:stop], slot).copy_(own[slot.name])

    def _point_into_flat(self) -> None:
        """Make the weights views of ``merged``; and the gradients, of buffers too, views of ``gradient``."""
        own = all_tensors(self.network)
        for slot, (start, stop) in zip(self.slots, self._spans(), strict=True):
            tensor = own[slot.name]
            tensor.data = _as_parameter(self.merged[start:stop], slot)
            tensor.requires_grad_(True).grad = _as_parameter(self.gradient[start:stop], slot)

    def _spans(self) -> list[tuple[int, int]]:
        ends = torch.tensor([slot.size for slot in self.slots]).cumsum(0).tolist()
        return list(zip([0, *ends[:-1]], ends, strict=True))

    def blocks(self, parts: Partition, base: Tensor | None = None) -> Blocks:
        """Return the pieces of the flat vector that ``parts`` governs; the sources must not be replaced afterwards."""
        return Blocks(self, parts, base)

    def runs(self, parts: Partition) -> list[_Run]:
        """Return the runs of the flat vector that ``parts`` governs; neighbours under one gate are joined."""
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
        places = [(self.layer_span(layer.name), layer.name) for layer in self.layers]
        for span, layer in (*places, *self.buffers):
            if choices[layer] != "gate":
                self.write(span, _fixed_weights(choices[layer], kept).to(self.merged))

    def average(self) -> nn.Module:
        """Write the plain average of all sources, all layers; whatever was fixed or merged is overwritten."""
        self.write(slice(None), torch.full((len(self.theta),), 1 / len(self.theta)).to(self.merged))
        return self.network

    @torch.no_grad()
    def write(self, span: slice, weights: Tensor, base: Tensor | None = None) -> None:
        """Write the mixture with ``weights`` [K] into one piece; with a ``base`` [P] they count from there on."""
        first, last, _ = span.indices(len(self.merged))
        most = max(1, last - first if self.theta.dtype == self.dtype else CUT // len(self.theta))
        for start in range(first, last, most):
            part = slice(start, min(start + most, last))
            torch.mv(self.theta[:, part].to(self.dtype).T, weights, out=self.merged[part])
        if base is not None:
            self.merged[span] += (1 - weights.sum()) * base[span]

    def layer_span(self, name: str) -> slice:
        """The place of the layer in the flat vector; raises KeyError for an unknown name."""
        start = 0
        for layer in self.layers:
            if layer.name == name:
                return slice(start, start + layer.parameters)
            start += layer.parameters
        raise KeyError(name)

    def detached_network(self, template: nn.Module) -> nn.Module:
        """Return an independent copy of the merged network, with the dtype, device and mode of ``template``."""
        merged, own = all_tensors(self.network), all_tensors(template)
        with torch.no_grad():
            return copy_with(template, {name: torch.empty_like(own[name]).copy_(merged[name]) for name in own})


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


def _mixed_buffers(sources: Sequence[nn.Module]) -> list[Slot]:
    """The buffers that are mixed: numbers with fractions, not BatchNorm's, in which the sources differ."""
    first = sources[0]
    norms = {path for path, module in first.named_modules() if isinstance(module, _BatchNorm)}
    buffers = {
        name: buffer
        for name, buffer in first.named_buffers()
        if buffer.is_floating_point() and name.rpartition(".")[0] not in norms
    }
    differing: set[str] = set()
    for number in range(1, len(sources)) if buffers else ():
        other = dict(sources[number].named_buffers())
        differing |= {name for name, own in buffers.items() if not torch.equal(own, other[name].to(own.device))}
    return [Slot(name, tuple(own.shape), 0, 1, 0) for name, own in buffers.items() if name in differing]


def _owner(name: str, layers: tuple[Layer, ...]) -> str:
    """The layer that a buffer belongs to: its own module's, or the first of those nearest to it in the tree."""
    place = name.split(".")[:-1]

    def shared(layer: Layer) -> int:
        pairs = zip(place, layer.name.split("."), strict=False)
        return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))

    return max(layers, key=shared).name


def _fixed_weights(choice: str, kept: Sequence[int]) -> Tensor:
    if choice == "average":
        return torch.full((len(kept),), 1 / len(kept))
    return torch.tensor([float(number == int(choice.removeprefix("keep:"))) for number in kept])


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
