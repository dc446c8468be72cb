"""What a forward reads is found in its code, and in that of the methods it calls."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from softmerge_core.structure.code import Likeness, names_read


class Reader(nn.Module):
    def forward(self, inputs: Tensor) -> Tensor:
        self.passes = self.passes + 1
        return self.stretched(inputs) + sum(part * self.within for part in (1, 2)) + getattr(self, "in_text")  # noqa: B009

    @torch.no_grad()
    def stretched(self, inputs: Tensor) -> Tensor:
        self.kept = inputs * self.width
        return self.kept

    @property
    def width(self) -> float:
        return self.base_width

    @staticmethod
    def never_called(other: Any) -> Any:
        return other.not_read


def test_names_are_followed_through_methods_and_properties() -> None:
    names = names_read(Reader)
    assert {"stretched", "within", "in_text", "width", "base_width"} <= names
    assert not {"passes", "kept", "not_read"} & names, "a counter, a cache, and what nobody calls"


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        (nn.Conv2d, {"stride", "padding", "dilation", "groups", "padding_mode"}),
        (nn.BatchNorm2d, {"eps", "track_running_stats"}),
        (nn.MultiheadAttention, {"num_heads", "batch_first"}),
        (nn.LSTM, {"num_layers", "bidirectional", "batch_first"}),
        (nn.MaxPool2d, {"kernel_size", "stride", "ceil_mode"}),
    ],
)
def test_the_settings_of_torchs_layers_are_found(kind: type[nn.Module], names: set[str]) -> None:
    assert names <= names_read(kind)


def doubled(value: float) -> float:
    return value * 2


def closed_over(value: object) -> Callable[[], object]:
    return lambda: value


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        (1, 1.0, True),
        (True, 1, True),
        (2, (2, 2), True),
        (2, (2, 3), False),
        ([1, 2], (1, 2), True),
        (None, 0, False),
        (None, object(), False),
        ("same", 1, False),
        (np.ones(2), np.ones(2), True),
        (np.array(["a"]), np.array(["b"]), False),
        (torch.ones(2), np.ones(2), False),
        (torch.ones(2), torch.ones(3), False),
        (torch.ones(2), 1, False),
        (torch.eye(2).to_sparse(), torch.ones(2, 2).to_sparse(), True),
        (torch.relu, torch.tanh, False),
        (nn.ReLU, nn.Tanh, False),
        (doubled, torch.relu, False),
        (functools.partial(doubled, 2), functools.partial(doubled, 3), False),
        (closed_over(1), closed_over(1), True),
        (closed_over(1), closed_over(2), False),
        (closed_over(doubled), closed_over(closed_over), False),
        ({"a": 1}, {"a": 1}, True),
        ({"a": 1}, {"b": 1}, False),
        (nn.Parameter(torch.ones(1)), nn.Parameter(torch.zeros(2)), True),
        (object(), object(), True),
    ],
)
def test_values_are_compared_by_what_they_do(one: object, other: object, alike: bool) -> None:
    assert Likeness().alike(one, other) is alike
    assert Likeness().alike(other, one) is alike


def test_a_function_that_holds_itself_is_compared() -> None:
    def build() -> Callable[[int], int]:
        def count(left: int) -> int:
            return count(left - 1) if left else 0

        return count

    assert Likeness().alike(build(), build())
