"""Sources that compute the same at another scale, brought to one scale, so that their weights can be mixed.

Where units pass through nothing but positively homogeneous operations (ReLU, pooling), what computes them can be
multiplied by any positive factors and what reads them divided, and what feeds a BatchNorm can be multiplied freely:
the network's function stays (path-wise rescaling: Neyshabur et al. 2015, arXiv 1506.02617). Averages do not.
"""

import copy
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.modules.batchnorm import _BatchNorm

from softmerge_core.alignment.permute import State, rows, tensors_of, with_tensors
from softmerge_core.alignment.symmetry.groups import symmetry
from softmerge_core.alignment.symmetry.parts import Axis, Group
from softmerge_core.alignment.symmetry.probe import FAILURES
from softmerge_core.alignment.symmetry.tracing import tensors
from softmerge_core.anatomy import describe
from softmerge_core.checkpoints.sources import LazySources

FAR, MANY = 2.0, 0.2  # a source is at another scale if in some group this share of units is off by such a factor,
EXTREME = 30.0  # or any unit by this one; single units of honest small networks, nearly dead ones, are off by up to 13
SWEEPS = 50
NEAR = 1e-4  # relative changes of scale at which sweeps end
SAMPLES = 2
GAINS = (0.5, 5.0)  # of the random weights: activations that saturate (ReLU6) show it only where they are large


@dataclass(frozen=True)
class Scaling:
    """Units whose scale is free: what is multiplied by a factor, by its square, and what is divided by it."""

    name: str
    size: int
    multiplied: tuple[Axis, ...]
    divided: tuple[Axis, ...] = ()
    squared: tuple[Axis, ...] = ()

    def scale(self, state: State) -> Tensor:
        """Return the log of each unit's scale [size]: the size of its own weights over that of those that read it."""
        own = _norms(state, self.multiplied, self.size)
        return (own / _norms(state, self.divided, self.size)).sqrt().log() if self.divided else own.log()

    def apply(self, state: State, factors: Tensor) -> None:
        """Replace the tensors of ``state`` by those scaled by ``factors`` [size]."""
        for axes, power in ((self.multiplied, 1), (self.divided, -1), (self.squared, 2)):
            for axis in axes:
                state[axis.name] = _scaled(state[axis.name], axis, factors**power)


def one_scale(
    sources: Sequence[nn.Module], names: Sequence[str], inputs: Tensor
) -> tuple[LazySources, tuple[str, ...]]:
    """Return the sources at one scale, and a sentence about each that was changed.

    The reference is the source with the most even scales. A source is changed only if it is at another scale (see
    FAR). What is changed is a copy that computes the same, which is checked on ``inputs`` [N, ...]; all others are
    returned as they are. No more than one source is looked at at a time.
    """
    sources = LazySources.of(sources)
    if not _norms_apart(sources):
        return sources, ()
    free = scalings(sources[0], inputs)
    scales = [_scales(sources[number], free) for number in range(len(sources))]
    uneven = [sum(float(scale.abs().nan_to_num(math.inf).mean()) for scale in each) for each in scales]
    reference = uneven.index(min(uneven))
    scaled: dict[int, nn.Module] = {}
    notices = []
    for number in range(len(sources)):
        if number == reference:
            continue
        network, changed = _at_scale(sources[number], free, scales[reference], inputs)
        if network is not None:
            scaled[number] = network
            what = f"{changed:,} channel{'s' * (changed != 1)}"
            notices.append(
                f"{names[number]} was brought to the scale of {names[reference]} in {what}: it computes the same."
            )
    return sources.replaced(scaled), tuple(notices)


def _scales(source: nn.Module, free: Sequence[Scaling]) -> list[Tensor]:
    state = _state(source)
    return [scaling.scale(state) for scaling in free]


def _at_scale(
    source: nn.Module, free: Sequence[Scaling], wanted: Sequence[Tensor], inputs: Tensor
) -> tuple[nn.Module | None, int]:
    """Return a copy at the ``wanted`` log scales, and the number of units that were far; None if nothing is changed."""
    state, changed = _rescaled(_state(source), free, wanted)
    if not (changed and _same(source, state, inputs)):
        return None, changed
    own = tensors_of(source)
    return with_tensors(source, {name: value.to(own[name]) for name, value in state.items()}), changed


def _norms_apart(sources: Sequence[nn.Module]) -> bool:
    """Whether rows or columns of any weights are at several scales: only then the network is looked at."""
    each = [_norms_of(sources[number]) for number in range(len(sources))]
    norms = torch.stack([found for found, _ in each])
    shifts = (norms.amax(0) / norms.amin(0)).log()
    return any(map(_far, shifts.split(each[0][1])))


@torch.no_grad()
def _norms_of(source: nn.Module) -> tuple[Tensor, list[int]]:
    """The norms of the rows and of the columns of each of a source's weights, one after another, and their numbers."""
    norms = []
    for weight in source.parameters():
        for dim in (0, 1) if weight.dim() > 1 else ():
            others = [axis for axis in range(weight.dim()) if axis != dim]
            dtype = torch.promote_types(weight.dtype, torch.float32)  # half precision overflows
            norms.append(torch.linalg.vector_norm(weight, dim=others, dtype=dtype).float().cpu())
    return torch.cat(norms or [torch.empty(0)]), [len(found) for found in norms]


def _far(shifts: Tensor) -> bool:
    """Whether log factors [n] of units tell of another scale."""
    return bool((shifts > math.log(FAR)).double().mean() > MANY or shifts.max() > math.log(EXTREME))


def _state(network: nn.Module) -> State:
    return {name: value.double() if value.is_floating_point() else value for name, value in tensors_of(network).items()}


def _rescaled(state: State, free: Sequence[Scaling], wanted: Sequence[Tensor]) -> tuple[State, int]:
    """Return the state brought to the ``wanted`` log scales if it is at others, and the number of units that were far.

    Scaling one group changes the weights that read it, and with them their own scale, so groups take turns.
    """
    shifts = [_shift(scaling, state, scale).abs() for scaling, scale in zip(free, wanted, strict=True)]
    far = sum(int((shift > math.log(FAR)).sum()) for shift in shifts)
    if not any(map(_far, shifts)):
        return state, 0
    state = dict(state)
    for _ in range(SWEEPS):
        most = 0.0
        for scaling, scale in zip(free, wanted, strict=True):
            shift = _shift(scaling, state, scale)
            scaling.apply(state, shift.exp())
            most = max(most, float(shift.abs().max()))
        if most < NEAR:
            break
    return state, far


def _shift(scaling: Scaling, state: State, wanted: Tensor) -> Tensor:
    """How far each unit's log scale [size] is from that wanted; 0 for a unit without any, whose weights are all 0."""
    shift = wanted - scaling.scale(state)
    return shift.masked_fill(~torch.isfinite(shift), 0.0)


@torch.no_grad()
def _same(source: nn.Module, state: State, inputs: Tensor) -> bool:
    """Whether the source computes the same with ``state`` on a few inputs."""
    network = copy.deepcopy(source).double().eval()
    some = inputs[:SAMPLES].double() if inputs.is_floating_point() else inputs[:SAMPLES]
    return _alike(_outputs(network, tensors_of(network), some), _outputs(network, state, some), 1e-3)


def scalings(network: nn.Module, inputs: Tensor) -> list[Scaling]:
    """Return the free scales of an architecture, tried on random weights; none for one that cannot be tried."""
    try:
        candidates = [*_before_batchnorm(network), *_through(network, symmetry(network, inputs).groups)]
        return _Trial(network, inputs[:SAMPLES]).free(candidates)
    except FAILURES:
        return []


class _Trial:
    """A copy of a network with random weights, on which scalings are tried in double precision."""

    def __init__(self, network: nn.Module, inputs: Tensor) -> None:
        self.network, self.generator = copy.deepcopy(network).double().eval(), torch.Generator().manual_seed(0)
        for module in self.network.modules():
            if isinstance(module, _BatchNorm):
                module.eps = 0.0  # so that factors before it leave no trace at all
        self.inputs = self._normal(inputs.shape) if inputs.is_floating_point() else inputs
        self.states = [self._state(gain) for gain in GAINS]
        self.outputs = [_outputs(self.network, state, self.inputs) for state in self.states]

    def _normal(self, shape: torch.Size) -> Tensor:
        return torch.randn(shape, generator=self.generator, dtype=torch.float64)

    def _state(self, gain: float) -> State:
        """The network's tensors with random weights that make activations ``gain`` times larger from layer to layer."""
        state = tensors_of(self.network)
        for name, parameter in self.network.named_parameters():
            size = parameter[0].numel() ** -0.5 if parameter.dim() > 1 else 0.3
            state[name] = gain * size * self._normal(parameter.shape)
        return state

    def free(self, candidates: Sequence[Scaling]) -> list[Scaling]:
        """Return those that change nothing: all at once are tried first, then halves of those that do."""
        if not candidates or self._unchanged(candidates):
            return list(candidates)
        half = len(candidates) // 2
        return [*self.free(candidates[:half]), *self.free(candidates[half:])] if half else []

    def _unchanged(self, candidates: Sequence[Scaling]) -> bool:
        for state, expected in zip(self.states, self.outputs, strict=True):
            scaled = dict(state)
            for candidate in candidates:
                factors = 0.5 + 1.5 * torch.rand(candidate.size, generator=self.generator, dtype=torch.float64)
                candidate.apply(scaled, factors)
            if not _alike(expected, _outputs(self.network, scaled, self.inputs), 1e-9):
                return False
        return True


@torch.no_grad()
def _outputs(network: nn.Module, state: State, inputs: Tensor) -> list[Tensor]:
    return list(tensors(functional_call(network, dict(state), (inputs,))))


def _alike(expected: Sequence[Tensor], got: Sequence[Tensor], far: float) -> bool:
    return all(bool((a - b).abs().max() <= far * a.abs().max() + 1e-12) for a, b in zip(expected, got, strict=True))


def _before_batchnorm(network: nn.Module) -> Iterator[Scaling]:
    """Yield layers that feed a BatchNorm: it undoes every factor, if its running statistics get it too."""
    norms = {name for name, module in network.named_modules() if isinstance(module, _BatchNorm)}
    for layer in describe(network):
        own = [slot for slot in layer.slots if slot.channels == layer.channels]
        norm = next((slot.name.rpartition(".")[0] for slot in own if slot.name.rpartition(".")[0] in norms), None)
        if norm is None or network.get_submodule(norm).running_mean is None:
            continue
        weights = [slot for slot in own if slot.name.rpartition(".")[0] != norm]
        axes = tuple(Axis(s.name, s.axis, 0, s.repeats, s.channels, 1, False) for s in weights)
        mean, var = (
            Axis(f"{norm}.{what}", 0, 0, 1, layer.channels, 1, False) for what in ("running_mean", "running_var")
        )
        yield Scaling(layer.name, layer.channels, (*axes, mean), (), (var,))


def _through(network: nn.Module, groups: Sequence[Group]) -> Iterator[Scaling]:
    """Yield groups of units: what computes them last is multiplied, and what reads them is divided."""
    norms = {name for name, module in network.named_modules() if isinstance(module, _BatchNorm)}
    normalised = {
        slot.name
        for layer in describe(network)
        if any(slot.name.rpartition(".")[0] in norms for slot in layer.slots)
        for slot in layer.slots
        if slot.name.rpartition(".")[0] not in norms
    }
    for group in groups:
        statistics = {f"{norm}.{what}" for norm in norms for what in ("running_mean", "running_var")}
        made = [a for a in group.axes if not a.reads and a.name not in normalised and a.name not in statistics]
        read = [axis for axis in group.axes if axis.reads]
        if made and read:
            yield Scaling(group.name, group.size, tuple(made), tuple(read))


def _norms(state: State, axes: Sequence[Axis], size: int) -> Tensor:
    """Return the root of the sum of squares of each unit's weights [size] along all axes."""
    total = torch.zeros(size, dtype=torch.float64)
    for axis in axes:
        total += rows(state[axis.name], axis).square().sum(1).cpu()
    return total.sqrt()


def _scaled(tensor: Tensor, axis: Axis, factors: Tensor) -> Tensor:
    """Return the tensor with the positions of each unit multiplied by its factor."""
    result = tensor.clone()
    blocks = axis.blocks(result)
    blocks.mul_(factors.view(1, -1, *[1] * (blocks.dim() - 2)).to(blocks))
    return result
