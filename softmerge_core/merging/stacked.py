"""Many gate trainings over the same sources as one: a stack of networks, run by ``vmap``, and a stack of gate tables.

Each has batches, noise and an optimiser's state of its own, so every one takes the steps that it would take alone, up
to rounding. A step costs Python and autograd as much for a stack as for one, which is most of the time of a small step.
"""

import copy
import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.func import functional_call, vmap
from torch.nn import functional

from softmerge_core.anatomy import Slot
from softmerge_core.flat import FlatSources
from softmerge_core.gates import REACH_OF_SCALE
from softmerge_core.merging.draws import counts_and_gradients, draw
from softmerge_core.merging.gate_training import MAX_GRADIENT, GateTraining, StepLoss
from softmerge_core.merging.optimisers import StackedOptimiser
from softmerge_core.merging.products import ConvolutionsAsProducts

TOGETHER = 32  # networks whose activations are kept at once: more save no time and need more memory
SAMPLES = 256  # that are evaluated at once


class StackedNetworks:
    """S networks of the architecture of ``flat``, whose weights are the rows of ``merged`` [S, P].

    After ``losses`` the rows of ``gradient`` [S, P] are the gradients of each network's loss in its own weights.
    """

    def __init__(self, flat: FlatSources, merged: Tensor) -> None:
        self.merged, self.gradient = merged, torch.zeros_like(merged)
        self.network = copy.deepcopy(flat.network).requires_grad_(False).eval()
        rows = [slice(first, first + TOGETHER) for first in range(0, len(merged), TOGETHER)]
        self.groups = [(span, self._views(merged[span], flat.slots)) for span in rows]
        self.gradients = [list(self._views(self.gradient[span], flat.slots).values()) for span in rows]

    @staticmethod
    def _views(table: Tensor, slots: Sequence[Slot]) -> dict[str, Tensor]:
        """The parameters [S, ...] of S networks by their names, as views of their rows [S, P]."""
        views = _as_parameters(table, slots)
        return {slot.name: view for slot, view in zip(slots, views, strict=True)}

    def _logits(self, tensors: dict[str, Tensor], inputs: Tensor, place: int | None) -> Tensor:
        def run(own: dict[str, Tensor], samples: Tensor) -> Tensor:
            found: Tensor = functional_call(self.network, own, (samples,))
            return found

        with ConvolutionsAsProducts():
            logits: Tensor = vmap(run, in_dims=(0, place))(tensors, inputs)
        return logits

    def losses(self, inputs: Tensor, targets: Tensor) -> Tensor:
        """Return the mean cross-entropy [S] of each network on its own batch of inputs [S, B, ...].

        ``targets`` are labels [S, B] or probabilities [S, B, classes].
        """
        found = []
        for (span, views), places in zip(self.groups, self.gradients, strict=True):
            own = {name: view.detach().requires_grad_() for name, view in views.items()}
            logits = self._logits(own, inputs[span], 0)
            each = functional.cross_entropy(logits.flatten(0, 1), targets[span].flatten(0, 1), reduction="none")
            loss = each.view(len(logits), -1).mean(1)
            given = torch.autograd.grad(loss.sum(), list(own.values()), materialize_grads=True)
            for place, gradient in zip(places, given, strict=True):
                place.copy_(gradient)
            found.append(loss.detach())
        return torch.cat(found)

    @torch.no_grad()
    def logits(self, inputs: Tensor, *, own: bool = False) -> Tensor:
        """Return the logits [S, N, classes] on the same inputs [N, ...], or on their ``own`` [S, N, ...]."""
        found = []
        for span, views in self.groups:
            pieces = inputs[span].split(SAMPLES, 1) if own else inputs.split(SAMPLES)
            found.append(torch.cat([self._logits(views, piece, 0 if own else None) for piece in pieces], 1))
        return torch.cat(found)


class StackedGates:
    """The gates of S trainings as tables [S, parts, K]; temperatures may differ, all else is the same for all."""

    def __init__(self, trainings: Sequence[GateTraining]) -> None:
        gates = [training.gates for training in trainings]
        self.log_alpha = torch.stack([each.log_alpha.detach() for each in gates])
        self.log_scale = torch.stack([each.log_scale.detach() for each in gates])
        self.log_scale.requires_grad_(gates[0].log_scale.requires_grad)  # draws ask it whether scales are trained
        self.temperature = _column([each.temperature for each in gates], self.log_alpha)
        self.stretch, self.normalise, self.reach = gates[0].stretch, gates[0].normalise, gates[0].reach

    def scale(self) -> Tensor:
        """Return the factors [S, parts, 1] of the parts."""
        return self.log_scale.clamp(-REACH_OF_SCALE, REACH_OF_SCALE).exp()

    def probability_open(self) -> Tensor:
        """Return P(z != 0) [S, parts, K]."""
        low, high = self.stretch
        return torch.sigmoid(self.log_alpha - self.temperature * math.log(-low / high))


class StackedTraining:
    """The steps of ``trainings`` over sources that are the same for all; each training is kept up to date."""

    def __init__(self, trainings: Sequence[GateTraining]) -> None:
        self.trainings, first = tuple(trainings), trainings[0]
        self.blocks, self.flat = first.blocks, first.flat
        runs = self.flat.runs(first.parts)
        self.spans = [slice(run.start, run.stop) for run in runs]
        each = [torch.arange(run.first, run.first + run.rows).repeat(run.repeats) for run in runs]
        self.index, self.sizes = torch.cat(each).to(self.flat.theta.device), [len(rows) for rows in each]
        self.gates = StackedGates(trainings)
        self.networks = StackedNetworks(self.flat, torch.stack([each.flat.merged for each in trainings]))
        self.tables = [self.gates.log_alpha]
        if self.gates.log_scale.requires_grad:
            self.tables.append(self.gates.log_scale.detach())
        self.optimiser = StackedOptimiser([each.optimiser for each in trainings], self.tables)
        self.alive = torch.ones(len(self.trainings), dtype=torch.bool)
        self.penalty = _column([each.settings.penalty for each in trainings], self.gates.log_alpha)

    @torch.no_grad()
    def write(self, weights: Tensor) -> None:
        """Write the mixtures with ``weights`` [S, parts, K] into the networks, as ``Blocks.write`` does for one."""
        merged, theta, base = self.networks.merged, self.flat.theta, self.blocks.base
        for span, row, sources, origin in self._pieces(weights[:, self.index]):
            found = torch.bmm(row.transpose(0, 1), sources)  # [n, S, width]
            if origin is not None:
                found += (1 - row.transpose(0, 1).sum(2, keepdim=True)) * origin
            merged[:, span].unflatten(1, (len(found), -1)).copy_(found.transpose(0, 1))
        for span, part in self.blocks.buffers:
            mean = weights[:, part].mean(1)
            merged[:, span] = mean @ theta[:, span]
            if base is not None:
                merged[:, span] += (1 - mean.sum(1, keepdim=True)) * base[span]

    def _pieces(self, rows: Tensor) -> list[tuple[slice, Tensor, Tensor, Tensor | None]]:
        """Of each piece its place, rows [S, n, ...], the sources [n, K, width] and the base's weights [n, 1, width]."""
        theta, base = self.flat.theta, self.blocks.base
        found = []
        for span, row, size in zip(self.spans, rows.split(self.sizes, 1), self.sizes, strict=True):
            sources = theta[:, span].unflatten(1, (size, -1)).transpose(0, 1)
            found.append((span, row, sources, None if base is None else base[span].view(size, 1, -1)))
        return found

    @torch.no_grad()
    def weight_gradient(self) -> Tensor:
        """The gradients [S, parts, K] of the losses in the mixing weights, as ``Blocks.weight_gradient`` for one."""
        gradient, theta, base = self.networks.gradient, self.flat.theta, self.blocks.base
        products = []
        for span, _, sources, origin in self._pieces(self.index.expand(len(gradient), -1)):
            given = gradient[:, span].unflatten(1, (len(sources), -1)).transpose(0, 1)  # [n, S, width]
            found = torch.bmm(given, sources.transpose(1, 2))
            products.append(found if origin is None else found - (given * origin).sum(2, keepdim=True))
        shape = (self.blocks.parts, len(gradient), len(theta))
        result = torch.zeros(shape, dtype=theta.dtype, device=theta.device)
        result.index_add_(0, self.index, torch.cat(products))
        for span, part in self.blocks.buffers:
            difference = theta[:, span] - (0 if base is None else base[span])
            result[part] += gradient[:, span] @ difference.T / (part.stop - part.start)
        return result.transpose(0, 1)

    def step(self, noise: Tensor, inputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Take one step on noise [S, parts, K] and the batches of all; return the losses and the penalties [S].

        The gates of a training whose gradient is not finite stay as they are, and after a loss that is not for good.
        """
        drawn = draw(self.gates, noise)
        self.write(drawn.weights.to(inputs.device))
        task = self.networks.losses(inputs, targets).cpu()
        gradient = self.weight_gradient().cpu()
        counts, changes = counts_and_gradients(self.gates, drawn, gradient, self.penalty)
        self.alive &= torch.isfinite(task)
        finite = [torch.isfinite(change.sum((1, 2))) for change in changes]
        self.optimiser.step(changes, MAX_GRADIENT, torch.stack([self.alive, *finite]).all(0))
        return task, counts * self.penalty.flatten() / self.blocks.parts

    def steps(
        self,
        batches: Sequence[Tensor],
        inputs: Sequence[Tensor],
        targets: Sequence[Tensor],
        should_stop: Callable[[], bool] | None = None,
    ) -> list[list[StepLoss]]:
        """Take the n steps whose noise was drawn, on the samples ``batches`` [n, B] of each; return the losses of each.

        ``inputs`` [N, ...] and ``targets`` [N, ...] are each training's own. One ends with its first loss that is not
        finite, and all end when they are asked to stop.
        """
        noise = torch.stack([each.noise_ahead() for each in self.trainings], 1)
        taken: list[tuple[Tensor, Tensor]] = []
        for own, chosen in zip(noise, torch.stack(list(batches), 1), strict=True):
            if should_stop and should_stop():
                break
            taken.append(self.step(own, _taken(inputs, chosen), _taken(targets, chosen)))
        self._hand_back()
        if not taken:
            return [[] for _ in self.trainings]
        task, penalty = (torch.stack(column, 1).tolist() for column in zip(*taken, strict=True))
        return [_until_broken(list(map(StepLoss, *own))) for own in zip(task, penalty, strict=True)]

    def _hand_back(self) -> None:
        """Give every training its gates and its optimiser's state."""
        for number, training in enumerate(self.trainings):
            training.gates.log_alpha.data.copy_(self.gates.log_alpha[number])
            training.gates.log_scale.data.copy_(self.gates.log_scale[number].detach())
            training.optimiser.load_state(self.optimiser.state(number))

    @torch.no_grad()
    def logits(self, inputs: Sequence[Tensor]) -> Tensor:
        """Return the logits [S, N, classes] of the merges without noise, on each training's own inputs [N, ...]."""
        self.write(torch.stack([each.gates.weights() for each in self.trainings]).to(self.flat.theta.device))
        return self.networks.logits(inputs[0] if _same(inputs) else torch.stack(list(inputs)), own=not _same(inputs))


def _same(samples: Sequence[Tensor]) -> bool:
    return all(each is samples[0] for each in samples)


def _taken(samples: Sequence[Tensor], chosen: Tensor) -> Tensor:
    """The ``chosen`` [S, B] of each training's samples, [S, B, ...]."""
    if _same(samples):
        return samples[0][chosen]
    return torch.stack([each[own] for each, own in zip(samples, chosen, strict=True)])


def _as_parameters(table: Tensor, slots: Sequence[Slot]) -> list[Tensor]:
    """The parameters [S, ...] of S networks, as views of their rows [S, P], whose channels come first."""
    found = []
    for piece, slot in zip(table.split([slot.size for slot in slots], 1), slots, strict=True):
        shape, axis = slot.shape, slot.axis
        moved = piece.view(len(table), *shape[axis : axis + 1], *shape[:axis], *shape[axis + 1 :])
        found.append(moved.movedim(1, axis + 1) if shape else moved)
    return found


def _column(numbers: Sequence[float], like: Tensor) -> Tensor:
    return torch.tensor(numbers, dtype=like.dtype).view(-1, 1, 1)


def _until_broken(losses: list[StepLoss]) -> list[StepLoss]:
    """The losses up to the first that is not finite, whose step had no penalty."""
    for place, loss in enumerate(losses):
        if not math.isfinite(loss.task):
            return [*losses[:place], StepLoss(loss.task, 0.0)]
    return losses
