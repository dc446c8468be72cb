"""What the benchmark of architectures measures, on sources that are trained for an instant."""

import copy

import pytest
import torch

from benchmarks import architectures
from benchmarks.architectures import CASES, copied, percent, sources_of, students
from softmerge_core.data import load_dataset
from softmerge_core.networks.mlp import MLP


def test_copying_averages_where_both_have_a_weight_and_matches_nothing() -> None:
    torch.manual_seed(0)
    narrow, wide = MLP(2, 3, 4), MLP(2, 3, 6)
    before = copy.deepcopy(wide.state_dict())
    found = copied(narrow, wide)
    assert all(torch.equal(value, before[key]) for key, value in wide.state_dict().items())
    expected = before["hidden2.weight"].clone()
    expected[:4, :4] = (expected[:4, :4] + narrow.hidden2.weight.detach()) / 2
    assert torch.equal(found.hidden2.weight, expected)
    assert torch.equal(copied(wide, narrow).head.weight, (narrow.head.weight + wide.head.weight[:, :4]) / 2)


def test_students_are_of_the_target_and_the_gain_is_over_the_same_training_without_teachers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    short = {column: (method, {**how, "steps": 3}) for column, (method, how) in architectures.STUDENTS.items()}
    monkeypatch.setattr(architectures, "STUDENTS", short)
    data = load_dataset("digits")
    quick = {name: how.model_copy(update={"epochs": 1, "share": 0.1}) for name, how in CASES[0].networks.items()}
    case = architectures.Case("digits", {name: quick[name] for name in ("vgg", "vit")}, (0,))
    sources = sources_of(case, data, seed=1)
    assert [type(source).__name__ for source in sources] == ["VGG", "ViT"]
    found = students(sources, data, data.for_merging(), target=1, seed=1)
    assert list(found) == ["alone", "ensemble", *short, "gain"]
    assert found["alone"] == percent(sources[1], data)
    assert found["gain"] == found["distilled"] - found["no teacher"]
