"""Matching of units: what it recovers, which channels it covers, and whether more starts would find a better order.

    python -m benchmarks.matching [--pairs N] [--starts N]

First table: a network and a copy of it with its units shuffled are aligned by activations on 64 random inputs, and by
weights. Units that are not back in their place are wrong. Networks have random weights; with "dead", the BatchNorm
bias of 30 % of the channels is lowered by 20, so that no ReLU behind it ever answers.

Second table: the share of hidden layers' output channels that belong to some group of units, and the time to find them.

Third table: the sum of products of all weights of pairs of ResNet-18 (stem for CIFAR, random weights) and of shipped
sources, which weight matching maximises: as they are; after the two starts of weight matching, from the present order
and layer after layer; with more starts that take the groups in other random orders, the best so far; and by PyPI's
rebasin, if it is installed, which may change what the network computes.
"""

import copy
import importlib
import time
from collections.abc import Callable, Iterator

import torch
from torch import nn

from benchmarks.base import Benchmark
from benchmarks.networks import SHAPE, cifar_resnet18, network
from benchmarks.tables import Table
from softmerge_core.alignment import align, apply, permutation_groups
from softmerge_core.alignment.descent import Descent, objective
from softmerge_core.alignment.permute import rows, tensors_of
from softmerge_core.alignment.symmetry.groups import symmetry
from softmerge_core.zoo import load_family

SHUFFLED = ("resnet18", "vgg11_bn", "mobilenet_v2", "regnet_y_400mf")
COVERED = ("resnet18", "mobilenet_v2", "regnet_y_400mf", "resnext50_32x4d", "shufflenet_v2_x0_5")
FAMILIES = ("mnist1d-cnn-independent", "spirals-mlp-independent")


@torch.no_grad()
def kill(module: nn.Module) -> nn.Module:
    """Lower the bias of 30 % of the channels of each BatchNorm by 20, in place."""
    generator = torch.Generator().manual_seed(0)
    for layer in module.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.bias[torch.rand(layer.bias.shape, generator=generator) < 0.3] -= 20
    return module


def wrong(original: nn.Module, back: nn.Module) -> float:
    """Return the percentage of units of all groups whose own weights are not where they were."""
    one, other = tensors_of(original), tensors_of(back)
    bad = units = 0
    for group in permutation_groups(original):
        axis = next((axis for axis in group.axes if not axis.reads and one[axis.name].dim() > 1), None)
        if axis is not None and not group.inside:
            sizes = [rows(state[axis.name], axis).double().square().sum(1) for state in (one, other)]
            bad += int(((sizes[0] - sizes[1]).abs() > 1e-9 * sizes[0]).sum())
            units += group.size
    return 100 * bad / units


def shuffles() -> Iterator[list[str]]:
    """Yield what matching by activations and by weights recovers of a shuffle."""
    inputs = torch.randn(64, *SHAPE, generator=torch.Generator().manual_seed(0))
    for name in SHUFFLED:
        for dead in (False, True):
            module = kill(network(name)) if dead else network(name)
            groups, generator = permutation_groups(module, inputs), torch.Generator().manual_seed(1)
            orders = {group.name: torch.randperm(group.size, generator=generator) for group in groups}
            hidden, cells = apply(module, orders, groups), []
            for how in ("activations", "weights"):
                started = time.process_time()
                back = align([module, hidden], inputs, how)[1]  # type: ignore[arg-type]
                cells.append(f"{wrong(module, back):.1f} ({time.process_time() - started:.0f})")
            yield [f"{name}{', dead' if dead else ''}", *cells]


def covered(module: nn.Module) -> float:
    """Return the share of the output channels of all layers but the last that are in some group."""
    moving: dict[tuple[str, int], set[int]] = {}
    for group in permutation_groups(module, torch.zeros(1, *SHAPE)):
        for axis in group.axes:
            moving.setdefault((axis.name, axis.dim), set()).update(range(axis.start, axis.start + axis.length))
    layers = [(name, layer) for name, layer in module.named_modules() if isinstance(layer, (nn.Conv2d, nn.Linear))]
    found = [(len(moving.get((f"{name}.weight", 0), ())), len(layer.weight)) for name, layer in layers[:-1]]
    return sum(own for own, _ in found) / sum(size for _, size in found)


def coverage() -> Iterator[list[str]]:
    """Yield the share of permutable channels."""
    for name in COVERED:
        started = time.process_time()
        yield [name, f"{covered(network(name)):.2f}", f"{time.process_time() - started:.1f}"]


def best_of(one: nn.Module, other: nn.Module, inputs: torch.Tensor, starts: int) -> list[str]:
    """Return the best objective after 0, 2, 4, 8 ... starts, with the seconds it took."""
    groups, target, state = symmetry(one, inputs).groups, tensors_of(one), tensors_of(other)
    names = frozenset(name for name, _ in one.named_parameters())
    best, cells, started = objective(target, state, names), [], time.process_time()
    cells.append(f"{best:.1f}")
    for number in range(starts):
        descent, generator = Descent(target, state, groups, names, {}), torch.Generator().manual_seed(number)
        if number == 1:
            descent.forward()
        descent.descend(generator)
        best = max(best, objective(target, descent.state, names))
        if number and number & (number + 1) == 0:
            cells.append(f"{best:.1f} ({time.process_time() - started:.1f})")
    return cells


def by_rebasin(one: nn.Module, other: nn.Module, inputs: torch.Tensor) -> str:
    """Return the objective that PyPI's rebasin reaches; a dash if it is not installed."""
    try:
        peer = importlib.import_module("rebasin")
    except ImportError:
        return "-"
    names, moved, started = (
        frozenset(name for name, _ in one.named_parameters()),
        copy.deepcopy(other),
        time.process_time(),
    )
    peer.PermutationCoordinateDescent(one, moved, inputs).rebasin()
    found = f"{objective(tensors_of(one), tensors_of(moved), names):.1f} ({time.process_time() - started:.1f})"
    with torch.no_grad():
        random = torch.randn(8, *inputs.shape[1:], generator=torch.Generator().manual_seed(0))
        before, after = other.eval()(random), moved.eval()(random)
    return found if (before - after).abs().max() < 1e-3 * before.abs().max() else f"{found}, other outputs"


def searches(pairs: int, most: int) -> Iterator[list[str]]:
    """Yield the objective by the number of starts."""
    cases: dict[str, tuple[Callable[[int], nn.Module], torch.Tensor]] = {
        "ResNet-18": (cifar_resnet18, torch.zeros(1, *SHAPE))
    }
    for name in FAMILIES:
        family = load_family(name)
        cases[name] = (family.sources.__getitem__, family.data.train_inputs[:1])
    for name, (source, inputs) in cases.items():
        for first in range(0, 2 * pairs, 2):
            one, other = source(first), source(first + 1)
            yield [
                f"{name}, {first + 1} and {first + 2}",
                *best_of(one, other, inputs, most),
                by_rebasin(one, other, inputs),
            ]


def tables(device: str, *, pairs: int = 2, starts: int = 8) -> Iterator[Table | str]:
    """Yield all three tables; ``pairs`` (1 or 2) and the most ``starts`` are those of the third."""
    yield Table(("units wrong, % (s)", "activations", "weights"), shuffles())
    yield Table(("network", "channels in a group", "s"), coverage())
    counts = [2**power for power in range(1, starts.bit_length()) if 2**power <= starts]
    titles = ("objective (s)", "as they are", *(f"{count} starts" for count in counts), "rebasin")
    yield Table(titles, searches(pairs, starts))


BENCHMARK = Benchmark(
    name="matching",
    title="Matching of units",
    minutes=8,
    tables=tables,
    peers=("rebasin",),
)

if __name__ == "__main__":
    BENCHMARK.main()
