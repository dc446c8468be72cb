"""Alignment of sources to the order of units of one of them; the copies compute exactly what the sources do."""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn

from softmerge_core.alignment.activation_matching import match_activations
from softmerge_core.alignment.descent import objective
from softmerge_core.alignment.permute import State, apply, permute_state, tensors_of, with_tensors
from softmerge_core.alignment.settings import How
from softmerge_core.alignment.symmetry.groups import symmetry
from softmerge_core.alignment.symmetry.parts import Symmetry
from softmerge_core.alignment.weight_matching import match_weights
from softmerge_core.checks import check_architecture, check_finite, outputs_of, unique_names
from softmerge_core.errors import DataError, SettingsError

ROUNDS = 20
METHODS = ("none", "weights", "activations")


def align(
    sources: Sequence[nn.Module],
    inputs: Tensor | None = None,
    how: How = "weights",
    *,
    seed: int = 0,
    reference: int = 0,
    to_mean: bool = True,
    names: Sequence[str] | None = None,
    on_notice: Callable[[str], None] | None = None,
) -> list[nn.Module]:
    """Return copies of ``sources`` (two or more of one architecture) in the order of units of ``sources[reference]``.

    Each copy computes what its source does; sources are never modified. ``how`` is "weights", which uses no data,
    "activations", which uses ``inputs`` [N, ...] (the first 2048), or "none", which only copies. With more than two
    sources and ``to_mean``, weight matching goes on against the mean of the other sources (MergeMany, algorithm 3 of
    arXiv 2209.04836) as long as that brings them nearer to each other. ``on_notice`` is told if nothing could be
    reordered.

    Raises SourceError (architectures differ, NaN or Inf), DataError (no inputs) or SettingsError.
    """
    labels = unique_names(names or [f"source {number + 1}" for number in range(len(sources))])
    _check(sources, labels, inputs, how, reference)
    if how == "none":
        return [apply(source, {}, ()) for source in sources]
    found = symmetry(sources[reference], inputs)
    if not found.groups and on_notice:
        on_notice("No units of this architecture are known to be interchangeable; the sources stay as they are.")
    pair = _Pairs(found, frozenset(name for name, _ in sources[0].named_parameters()), seed)
    aligned = [
        source if number == reference else pair.align(sources[reference], source, inputs if how != "weights" else None)
        for number, source in enumerate(sources)
    ]
    states = [tensors_of(network) for network in aligned]
    if to_mean and how == "weights" and len(sources) > 2:
        states = pair.to_mean(states, reference)
    return [with_tensors(source, state) for source, state in zip(sources, states, strict=True)]


def matching(
    target: nn.Module, source: nn.Module, *, seed: int = 0, names: Sequence[str] | None = None
) -> dict[str, Tensor]:
    """Return the permutation [size] of each group by which ``align`` would put ``source`` into ``target``'s order.

    Matched by weights alone; neither network is changed, and ``apply`` makes the copy. ``names`` are of the two.
    Raises SourceError (architectures differ, NaN or Inf).
    """
    labels = unique_names(names or ["target", "source"])
    _check((target, source), labels, None, "weights", 0)
    pair = _Pairs(symmetry(target), frozenset(name for name, _ in target.named_parameters()), seed)
    return pair.weights(tensors_of(target), tensors_of(source))


def _check(sources: Sequence[nn.Module], names: Sequence[str], inputs: Tensor | None, how: str, reference: int) -> None:
    if how not in METHODS:
        raise SettingsError(f"how: expected one of {', '.join(METHODS)}, got {how!r}")
    check_architecture(sources, names)
    if not 0 <= reference < len(sources):
        raise SettingsError(f"reference: expected 0 to {len(sources) - 1}, got {reference}")
    check_finite(sources, names)
    for source, name in zip(sources, names, strict=True) if how == "activations" else ():
        check_inputs(source, name, inputs, "matching by activations")


def check_inputs(network: nn.Module, name: str, inputs: Tensor | None, what: str) -> None:
    """Raise DataError unless ``inputs`` are finite and ``network`` can read them."""
    if inputs is None or len(inputs) == 0:
        raise DataError(f"{what} needs inputs, got none")
    if inputs.is_floating_point() and not torch.isfinite(inputs).all():
        raise DataError("inputs: expected finite numbers, got NaN or Inf")
    outputs_of(network, name, inputs[:2])


class _Pairs:
    """The matching of one source to another, for one architecture."""

    def __init__(self, found: Symmetry, names: frozenset[str], seed: int) -> None:
        self.found, self.names = found, names
        self.generator = torch.Generator().manual_seed(seed)

    def align(self, target: nn.Module, source: nn.Module, inputs: Tensor | None) -> nn.Module:
        """Return a copy of ``source`` in the order of ``target``, matched by weights if there are no inputs.

        With inputs, weights decide only what activations leave open.
        """
        ties: Mapping[str, Tensor] = {}
        state = tensors_of(source)
        if inputs is not None and self.found.places:
            matched = match_activations(target, source, self.found, inputs)
            permute_state(state, matched.orders, self.found.groups)
            ties = matched.ties
        permute_state(state, self.weights(tensors_of(target), state, ties), self.found.groups)
        return with_tensors(source, state)

    def weights(self, target: State, state: State, allowed: Mapping[str, Tensor] | None = None) -> dict[str, Tensor]:
        """Return the permutation of each group that brings ``state`` nearest to ``target``."""
        groups, limits = self.found.groups, allowed or {}
        return match_weights(target, state, groups, self.names, generator=self.generator, allowed=limits)

    def to_mean(self, states: list[State], reference: int) -> list[State]:
        """Match each state but the reference to the mean of the others, as long as that brings them nearer."""
        states = [dict(state) for state in states]
        for _ in range(ROUNDS):
            moved = False
            for number in torch.randperm(len(states), generator=self.generator).tolist():
                if number != reference:
                    moved |= self._to_mean_of_others(states, number)
            if not moved:
                break
        return states

    def _to_mean_of_others(self, states: list[State], number: int) -> bool:
        others = [state for other, state in enumerate(states) if other != number]
        mean = {name: torch.stack([state[name] for state in others]).mean(0) for name in self.names}
        candidate = dict(states[number])
        permute_state(candidate, self.weights(mean, candidate), self.found.groups)
        before, after = (objective(mean, state, self.names) for state in (states[number], candidate))
        if after <= before + 1e-9 * (1 + abs(before)):
            return False
        states[number] = candidate
        return True
