"""The optimisers of gates against torch's."""

import pytest
import torch

from softmerge_core.merging.optimisers import GateOptimiser, StackedOptimiser


@pytest.mark.parametrize("kind", ["adam", "sgd"])
def test_steps_are_those_of_torch(kind: str) -> None:
    generator = torch.Generator().manual_seed(0)
    tables = [torch.randn(shape, generator=generator, dtype=torch.float64) for shape in ((5, 3), (5, 1))]
    theirs = [torch.nn.Parameter(table.clone()) for table in tables]
    groups = [{"params": [parameter], "lr": rate} for parameter, rate in zip(theirs, (0.1, 0.02), strict=True)]
    reference = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}[kind](groups)
    ours = GateOptimiser(kind, tables, [0.1, 0.02])
    for size in (0.1, 10.0, 0.01, 1.0):
        gradients = [size * torch.randn(table.shape, generator=generator, dtype=torch.float64) for table in tables]
        for parameter, gradient in zip(theirs, gradients, strict=True):
            parameter.grad = gradient.clone()
            torch.nn.utils.clip_grad_norm_(parameter, 1.0)
        reference.step()
        ours.step(gradients, 1.0)
    for table, parameter in zip(tables, theirs, strict=True):
        torch.testing.assert_close(table, parameter.detach(), rtol=1e-5, atol=1e-7)  # torch adds 1e-6 to the norm


def test_going_on_from_a_state_is_going_on() -> None:
    tables = [torch.zeros(2, 2)]
    straight = GateOptimiser("adam", tables, [0.1])
    straight.step([torch.ones(2, 2)], 9.0)
    saved, table = straight.state(), tables[0].clone()
    straight.step([torch.full((2, 2), -3.0)], 9.0)
    resumed = GateOptimiser("adam", [table], [0.1])
    resumed.load_state(saved)
    resumed.step([torch.full((2, 2), -3.0)], 9.0)
    assert torch.equal(table, tables[0])


@pytest.mark.parametrize("kind", ["adam", "sgd"])
def test_many_at_once_take_the_steps_that_each_takes_alone(kind: str) -> None:
    generator = torch.Generator().manual_seed(1)
    rates = [[0.1, 0.02], [0.3, 0.06], [0.0, 0.01]]
    alone = [GateOptimiser(kind, [torch.zeros(4, 2).double(), torch.zeros(4, 1).double()], own) for own in rates]
    alone[1].step([torch.ones(4, 2).double(), torch.ones(4, 1).double()], 9.0)  # one has gone ahead
    tables = [torch.stack(column) for column in zip(*(each.tables for each in alone), strict=True)]
    together = StackedOptimiser(alone, tables)
    for size, taken in ((0.1, [True, True, True]), (9.0, [True, False, True]), (1.0, [False, True, True])):
        gradients = [
            size * torch.randn(table.shape, generator=generator, dtype=torch.float64) for table in together.tables
        ]
        for number in (place for place in range(3) if taken[place]):
            alone[number].step([each[number] for each in gradients], 1.0)
        gradients[0][1] = gradients[0][1] if taken[1] else torch.nan
        together.step(gradients, 1.0, torch.tensor(taken))
    for number, each in enumerate(alone):
        for mine, theirs in zip(tables, each.tables, strict=True):
            torch.testing.assert_close(mine[number], theirs, rtol=1e-12, atol=1e-12)
        assert together.state(number)["count"] == each.count
        for name in ("first", "second"):
            torch.testing.assert_close(together.state(number)[name], each.state()[name])
