"""Convolutions of many networks at once as products: what they give, and which calls are left alone."""

import pytest
import torch
from torch import Tensor
from torch.func import vmap
from torch.nn import functional

from softmerge_core.merging.products import ConvolutionsAsProducts

NETWORKS = 3


def drawn(*shape: int) -> Tensor:
    generator = torch.Generator().manual_seed(sum(shape))
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def outcome(
    inputs: Tensor, weight: Tensor, bias: Tensor | None, *, products: bool, own: bool, **how: int
) -> list[Tensor]:
    """The outputs of all networks, and the gradients of a function of them in all that needs one."""
    leaves = [each.clone().requires_grad_() for each in (inputs, weight, bias) if each is not None]

    def one(samples: Tensor, *rest: Tensor) -> Tensor:
        return functional.conv1d(samples, *rest, **how)

    places = (0 if own else None, *[0] * (len(leaves) - 1))
    if products:
        with ConvolutionsAsProducts():
            found = vmap(one, in_dims=places)(*leaves)
    else:
        rows = zip(*[each if place == 0 else [each] * NETWORKS for each, place in zip(leaves, places, strict=True)])  # noqa: B905
        found = torch.stack([one(*row) for row in rows])
    return [found, *torch.autograd.grad((found.sin() * torch.arange(found.shape[-1])).sum(), leaves)]


@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize("biased", [True, False])
@pytest.mark.parametrize(
    ("channels", "length", "kernel", "stride", "padding"),
    [(1, 12, 5, 2, 2), (8, 11, 3, 2, 1), (20, 7, 3, 1, 1), (3, 9, 1, 1, 0), (20, 10, 4, 3, 2), (5, 8, 8, 1, 0)],
)
def test_products_are_the_convolutions(
    channels: int, length: int, kernel: int, stride: int, padding: int, biased: bool, own: bool
) -> None:
    inputs = drawn(NETWORKS, 4, channels, length) if own else drawn(4, channels, length)
    weight, bias = drawn(NETWORKS, 6, channels, kernel), drawn(NETWORKS, 6) if biased else None
    how = {"stride": stride, "padding": padding, "own": own}
    found, expected = (outcome(inputs, weight, bias, products=products, **how) for products in (True, False))
    for one, other in zip(found, expected, strict=True):
        assert torch.allclose(one, other, rtol=1e-10, atol=1e-10)


def test_inputs_without_a_gradient_give_the_same() -> None:
    inputs, weight, bias = drawn(NETWORKS, 4, 1, 12), drawn(NETWORKS, 6, 1, 5), drawn(NETWORKS, 6)
    weight.requires_grad_()
    with ConvolutionsAsProducts():
        found = vmap(lambda *each: functional.conv1d(*each, stride=2, padding=2))(inputs, weight, bias)
    expected = torch.stack([functional.conv1d(*each, stride=2, padding=2) for each in zip(inputs, weight, bias)])  # noqa: B905
    assert torch.allclose(found, expected)
    both = [torch.autograd.grad(each.sin().sum(), weight)[0] for each in (found, expected)]
    assert torch.allclose(*both)


@pytest.mark.parametrize("how", [{"groups": 2}, {"dilation": 2}, {"padding": "same"}, {"stride": 4}])
def test_other_convolutions_are_left_alone(how: dict[str, object]) -> None:
    inputs, weight = drawn(3, 4, 12), drawn(6, 4 // int(how.get("groups", 1)), 3)
    with ConvolutionsAsProducts():
        found = functional.conv1d(inputs, weight, **how)
    assert torch.equal(found, functional.conv1d(inputs, weight, **how))
