"""The parts of a network, for any nn.Module: the whole model, its modules (top-level blocks), layers, and channels."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvTransposeNd

from softmerge_core.errors import SettingsError

ROOT = "(network)"  # the layer of parameters that belong to the network itself, such as a class token


@dataclass(frozen=True)
class Slot:
    """One parameter tensor. Its channels lie along ``axis``, ``repeats`` times over (an LSTM has four per unit).

    ``channels`` is 0 for a tensor whose rows are not the layer's channels.
    """

    name: str
    shape: tuple[int, ...]
    axis: int
    repeats: int
    channels: int

    @property
    def size(self) -> int:
        """Number of scalars."""
        return int(torch.Size(self.shape).numel())


@dataclass(frozen=True)
class Layer:
    """A module that owns parameters, with the BatchNorm that follows it.

    ``block``: the top-level child it lies in; ``channels``: output channels, each of which can have gates of its own.
    """

    name: str
    kind: str
    block: str
    channels: int
    slots: tuple[Slot, ...]

    @property
    def parameters(self) -> int:
        """Number of scalars."""
        return sum(slot.size for slot in self.slots)

    @property
    def gate_rows(self) -> int:
        """Rows of gates at channel granularity: one a channel, and one for tensors that do not follow the channels."""
        return self.channels + any(slot.channels == 0 for slot in self.slots)


def describe(network: nn.Module) -> tuple[Layer, ...]:
    """The layers of ``network`` in order of registration; tied parameters belong to the layer that comes first."""
    layers: list[Layer] = []
    seen: set[int] = set()
    for path, module in network.named_modules():
        own = [(name, p) for name, p in module.named_parameters(path, recurse=False) if id(p) not in seen]
        seen.update(id(parameter) for _, parameter in own)
        for suffix, members in _split(module, own):
            if members:
                _add(layers, _layer(path + suffix, module, members), module)
    return tuple(layers)


def _add(layers: list[Layer], layer: Layer, module: nn.Module) -> None:
    """Append the layer, or let a BatchNorm join the layer whose channels it normalises."""
    before = layers[-1] if layers else None
    same_place = before is not None and before.name.rpartition(".")[0] == layer.name.rpartition(".")[0]
    if isinstance(module, _BatchNorm) and before and same_place and before.channels == layer.channels:
        joined = f"{before.kind} + BatchNorm"
        layers[-1] = Layer(before.name, joined, before.block, before.channels, before.slots + layer.slots)
    else:
        layers.append(layer)


Members = list[tuple[str, nn.Parameter]]


def _split(module: nn.Module, own: Members) -> Iterator[tuple[str, Members]]:
    """Recurrent modules hold several layers and directions in one: each is a layer of its own."""
    if not isinstance(module, nn.RNNBase) or module.num_layers * (1 + module.bidirectional) == 1:
        yield "", own
        return
    for number in range(module.num_layers):
        for direction in ("", "_reverse") if module.bidirectional else ("",):
            end = f"_l{number}{direction}"
            yield f".l{number}{direction}", [(name, p) for name, p in own if name.endswith(end)]


def _layer(path: str, module: nn.Module, members: Members) -> Layer:
    first = _channels(module, members[0][0], members[0][1])
    slots = tuple(_slot(module, name, parameter, first) for name, parameter in members)
    return Layer(path or ROOT, type(module).__name__, path.split(".", maxsplit=1)[0] or ROOT, first, slots)


def _channels(module: nn.Module, name: str, parameter: nn.Parameter) -> int:
    axis, repeats = _axis(module, name), _repeats(module, name)
    return parameter.shape[axis] // repeats if parameter.dim() > axis else 1


def _slot(module: nn.Module, name: str, parameter: nn.Parameter, channels: int) -> Slot:
    axis, repeats = _axis(module, name), _repeats(module, name)
    own = _channels(module, name, parameter)
    fits = own == channels and (parameter.dim() == 0 or own * repeats == parameter.shape[axis])
    shape = tuple(parameter.shape)
    return Slot(name, shape, axis, repeats, channels) if fits else Slot(name, shape, 0, 1, 0)


def _axis(module: nn.Module, name: str) -> int:
    transposed = isinstance(module, _ConvTransposeNd) and module.groups == 1
    return int(transposed and name.endswith("weight"))


def _repeats(module: nn.Module, name: str) -> int:
    if isinstance(module, nn.MultiheadAttention) and "in_proj" in name:
        return 3  # queries, keys and values, stacked
    if isinstance(module, nn.RNNBase) and "weight_hr" not in name:
        return {"LSTM": 4, "GRU": 3}.get(module.mode, 1)
    return 1


def layer_choices(layers: tuple[Layer, ...], parts: dict[str, str], sources: Sequence[int]) -> dict[str, str]:
    """What is done with each layer: "gate", "average" or "keep:<number>"; ``parts`` names layers or whole blocks.

    Raises SettingsError for a name that is neither, and for a source that is not among ``sources`` (their numbers).
    """
    names = {layer.name for layer in layers} | {layer.block for layer in layers}
    for part, choice in parts.items():
        if part not in names:
            raise SettingsError(f"parts: no layer or block {part!r}; expected one of {', '.join(sorted(names))}")
        if choice.startswith("keep:") and int(choice.removeprefix("keep:")) not in sources:
            raise SettingsError(f"parts: {part}: {choice!r} names a source that does not take part: {list(sources)}")
    return {layer.name: parts.get(layer.name, parts.get(layer.block, "gate")) for layer in layers}


@dataclass(frozen=True)
class Partition:
    """Which gates govern which layer at one granularity.

    ``names``: one a row of gates; ``groups``: per row, the layer or block it is drawn in;
    ``rows``: per gated layer, its first row and how many rows it has (1, or one a channel).
    """

    granularity: str
    names: tuple[str, ...]
    groups: tuple[str, ...]
    rows: dict[str, tuple[int, int]]


def partition(layers: tuple[Layer, ...], granularity: str) -> Partition:
    """Divide the gated ``layers`` into parts: "model", "module", "layer" or "channel"."""
    if granularity == "channel":
        return _by_channel(layers)
    key = {
        "model": lambda layer: "model",
        "module": lambda layer: layer.block,
        "layer": lambda layer: layer.name,
    }[granularity]
    names = tuple(dict.fromkeys(key(layer) for layer in layers))
    return Partition(granularity, names, names, {layer.name: (names.index(key(layer)), 1) for layer in layers})


def _by_channel(layers: tuple[Layer, ...]) -> Partition:
    names: list[str] = []
    groups: list[str] = []
    rows: dict[str, tuple[int, int]] = {}
    for layer in layers:
        rows[layer.name] = (len(names), layer.gate_rows)
        names += [f"{layer.name} {channel}" for channel in range(layer.channels)]
        names += [f"{layer.name} rest"] * (layer.gate_rows - layer.channels)
        groups += [layer.name] * layer.gate_rows
    return Partition("channel", tuple(names), tuple(groups), rows)
