"""Attacks that "auto" was not made for: ``python -m benchmarks.unseen_attacks [--families FAMILY ...] [--seeds N]``.

Of four sources some are spoiled: brought to another scale (they compute the same), given a poisoned buffer, the
difference of two sources, one layer at random, the classes in another order, a near copy. Test accuracy in percent,
mean over the seeds of the attack and of the gates; a case fails if "auto" is more than a point under the best honest
source (lowest validation loss).
"""

import copy
import statistics
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor, nn

from benchmarks.base import Benchmark
from benchmarks.tables import Table
from softmerge_core import SoftMergeSettings, soft_merge
from softmerge_core.alignment.permute import tensors_of, with_tensors
from softmerge_core.alignment.scaling import scalings
from softmerge_core.data import Data
from softmerge_core.evaluation import best_source, evaluate
from softmerge_core.zoo import load_family

FAMILIES = ("mnist1d-cnn-shared-trunk", "spirals-mlp-shared-trunk", "digits-resnet-specialists")
FACTORS = (3.0, 30.0, 1e4)
LOST = 0.01  # of accuracy (0-1)
Attack = Callable[[list[nn.Module], int, Data, torch.Generator], nn.Module]  # sources, which, data -> what it becomes


class Centred(nn.Module):
    """A network behind a buffer that is subtracted from its inputs."""

    def __init__(self, network: nn.Module, mean: Tensor) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("mean", mean)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the logits [N, classes]."""
        return self.network(inputs - self.mean)  # type: ignore[no-any-return]


def scaled(factor: float) -> Attack:
    """Multiply half the units and divide the others, so that the network computes the same."""

    def attack(sources: list[nn.Module], which: int, data: Data, generator: torch.Generator) -> nn.Module:
        own = tensors_of(sources[which])
        state = {name: value.double() if value.is_floating_point() else value for name, value in own.items()}
        for scaling in scalings(sources[which], data.train_inputs):
            up = torch.rand(scaling.size, generator=generator) < 0.5
            low = 1.0 if scaling.squared else 1 / factor  # a small variance would drown in BatchNorm's epsilon
            scaling.apply(state, torch.where(up, factor, low).double())
        return with_tensors(sources[which], {name: value.to(own[name]) for name, value in state.items()})

    return attack


def poisoned_buffer(sources: list[nn.Module], which: int, data: Data, generator: torch.Generator) -> nn.Module:
    """Subtract a huge number from every input."""
    network = copy.deepcopy(sources[which])
    network.mean.fill_(1e3)  # type: ignore[operator, union-attr]
    return network


def minus_another(sources: list[nn.Module], which: int, data: Data, generator: torch.Generator) -> nn.Module:
    """Take away the weights of another source."""
    other = dict(sources[which - 1].named_parameters())
    return _changed(sources[which], lambda name, tensor: tensor - other[name])


def layer_replaced(sources: list[nn.Module], which: int, data: Data, generator: torch.Generator) -> nn.Module:
    """Draw one layer's weights anew, with the spread they had."""
    names = [name for name, tensor in sources[which].named_parameters() if tensor.dim() > 1]
    chosen = names[int(torch.randint(len(names), (1,), generator=generator))]

    def change(name: str, tensor: Tensor) -> Tensor:
        return tensor.std() * torch.randn(tensor.shape, generator=generator) if name == chosen else tensor

    return _changed(sources[which], change)


def classes_permuted(sources: list[nn.Module], which: int, data: Data, generator: torch.Generator) -> nn.Module:
    """Put the classes in another order, by the rows of the last layer."""
    order = torch.arange(data.classes).roll(1)
    return _changed(sources[which], lambda name, tensor: tensor[order] if name.startswith("head.") else tensor)


def near_copy(sources: list[nn.Module], which: int, data: Data, generator: torch.Generator) -> nn.Module:
    """Copy another source, with a little noise."""
    noise = 1e-3
    return _changed(
        sources[which - 1], lambda _, tensor: tensor + noise * torch.randn(tensor.shape, generator=generator)
    )


@torch.no_grad()
def _changed(network: nn.Module, change: Callable[[str, Tensor], Tensor]) -> nn.Module:
    result = copy.deepcopy(network)
    for name, parameter in result.named_parameters():
        parameter.copy_(change(name, parameter))
    return result


def cases() -> Iterator[tuple[str, Attack, int]]:
    """Yield (name, attack, how many of four it spoils)."""
    yield from ((f"scaled by {factor:g}", scaled(factor), count) for factor in FACTORS for count in (1, 2, 3))
    others = (poisoned_buffer, minus_another, layer_replaced, classes_permuted, near_copy)
    yield from ((attack.__name__.replace("_", " "), attack, count) for attack in others for count in (1, 3))


def measure(
    sources: Sequence[nn.Module], data: Data, name: str, attack: Attack, count: int, seed: int
) -> tuple[float, float]:
    """Return the test accuracies (0-1) of "auto" and of the best honest source."""
    given = [copy.deepcopy(source).eval() for source in sources]
    if name.endswith("buffer"):
        given = [Centred(source, torch.zeros(data.input_shape)).eval() for source in given]
    generator = torch.Generator().manual_seed(seed)
    spoiled = [attack(given, which, data, generator).eval() for which in range(4 - count, 4)]
    honest = given if name.startswith(("scaled", "near")) else given[: 4 - count]
    result = soft_merge([*given[: 4 - count], *spoiled], data.for_merging(), _settings(seed))
    best = honest[best_source(honest, *data.split("validation"))]
    return evaluate(result.model, *data.split("test"))[0], evaluate(best, *data.split("test"))[0]


def _settings(seed: int) -> SoftMergeSettings:
    return SoftMergeSettings(seed=seed, non_finite="exclude")


def tables(device: str, *, families: tuple[str, ...] = FAMILIES, seeds: int = 3) -> Iterator[Table | str]:
    """Yield a row for each family and attack, and the cases that fail."""
    failed: list[str] = []
    columns = ("family", "attack", "spoiled", "auto", "best honest", "difference")
    yield Table(columns, _rows(families, range(seeds), failed))
    yield f"More than a point under the best honest source: {'; '.join(failed) or 'none'}."


def _rows(families: Sequence[str], seeds: Sequence[int], failed: list[str]) -> Iterator[list[str]]:
    """Yield the rows, and add the cases that fail to ``failed``."""
    for family in families:
        loaded = load_family(family)
        for name, attack, count in cases():
            pairs = [measure(loaded.sources[:4], loaded.data, name, attack, count, seed) for seed in seeds]
            auto, best = (statistics.mean(column) for column in zip(*pairs, strict=True))
            failed += [f"{family}, {name}, {count} of 4"] if auto < best - LOST else []
            values = (f"{100 * auto:.1f}", f"{100 * best:.1f}", f"{100 * (auto - best):+.1f}")
            yield [family, name, f"{count} of 4", *values]


BENCHMARK = Benchmark(name="unseen_attacks", title='Attacks that "auto" was not made for', minutes=30, tables=tables)

if __name__ == "__main__":
    BENCHMARK.main()
