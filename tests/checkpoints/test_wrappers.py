"""Names as wrappers write them are those of the network inside."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from softmerge_core.checkpoints import load_checkpoint
from softmerge_core.checkpoints.files import load_into
from softmerge_core.checkpoints.wrappers import unwrapped


def network() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))


class Lightning(nn.Module):
    """A module that calls its network ``model``."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model


WRAPPED = {
    "plain": lambda net: net,
    "parallel": nn.DataParallel,
    "averaged": torch.optim.swa_utils.AveragedModel,
    "lightning": Lightning,
    "averaged, parallel": lambda net: torch.optim.swa_utils.AveragedModel(nn.DataParallel(net)),
}


@pytest.mark.parametrize("name", WRAPPED)
def test_the_state_of_a_wrapped_network_is_that_of_the_network(name: str, tmp_path: Path) -> None:
    net, other = network(), network()
    torch.save(WRAPPED[name](net).state_dict(), tmp_path / "weights.pt")
    load_into(other, load_checkpoint(tmp_path / "weights.pt"), "weights.pt")
    for one, two in zip(net.state_dict().values(), other.state_dict().values(), strict=True):
        assert torch.equal(one, two)


def test_a_compiled_network_is_that_network() -> None:
    state = {f"_orig_mod.{name}": value for name, value in network().state_dict().items()}
    assert list(unwrapped(state)) == list(network().state_dict())


def test_names_that_the_network_itself_has_stay() -> None:
    own = Lightning(network()).state_dict()
    assert unwrapped(own, own) == own
    parallel = {f"module.{name}": value for name, value in own.items()}
    assert unwrapped(parallel, own) == own


def test_a_prefix_that_only_some_have_stays() -> None:
    state: dict[str, Any] = {"module.weight": torch.zeros(1), "bias": torch.zeros(1)}
    assert unwrapped(state) == state
    assert unwrapped({}) == {}


@pytest.mark.parametrize("key", ["state_dict", "model", "model_state_dict", "ema"])
def test_a_state_under_a_usual_key_is_found(key: str, tmp_path: Path) -> None:
    state = network().state_dict()
    torch.save({key: state, "epoch": 3, "optimizer": {"lr": 0.1}}, tmp_path / "checkpoint.pth")
    loaded = load_checkpoint(tmp_path / "checkpoint.pth")
    assert loaded.keys() == state.keys()
    assert all(torch.equal(loaded[name], state[name]) for name in state)
