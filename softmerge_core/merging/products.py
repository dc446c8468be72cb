"""One-dimensional convolutions of many networks at once as matrix products.

``vmap`` turns S convolutions into one of S groups, which on a CPU is no quicker than one after another. With channels
last in memory a window is one run of numbers, so that products over all samples and places do the same in less time.
"""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

WIDE = 16  # numbers in a row of inputs from which on products of shifted rows cost less than windows that are copied


class ConvolutionsAsProducts(TorchFunctionMode):
    """Within ``vmap``, does ``conv1d`` by products; other convolutions, and ones with gaps or groups, stay as they are.

    Outside of ``vmap`` it cannot be used.
    """

    def __torch_function__(
        self, func: Callable[..., Any], types: Iterable[type], args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Replace a call that can be replaced."""
        if func is torch.conv1d:
            return _conv1d(*args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))


def _conv1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    other = groups != 1 or isinstance(padding, str) or _one(dilation) != 1 or input.dim() != 3
    if other or _one(stride) > weight.shape[2]:
        return torch.conv1d(input, weight, bias, stride, padding, dilation, groups)
    if bias is None:
        bias = weight.new_zeros(weight.shape[0])
    found: Tensor = _Convolution.apply(input, weight, bias, _one(stride), _one(padding))
    return found


def _one(size: Any) -> int:
    return int(size) if isinstance(size, int) else int(size[0])


class _Convolution(torch.autograd.Function):
    """One convolution of inputs [B, C, L]; ``vmap`` hands those of all networks to ``_Convolutions``."""

    @staticmethod
    def forward(inputs: Tensor, weight: Tensor, bias: Tensor, stride: int, padding: int) -> Tensor:
        """Only ``vmap`` is used: outside of it a convolution is best left as it is."""
        raise NotImplementedError

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        """Keep nothing: the gradient is that of ``_Convolutions``."""

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int | None, ...], *values: Any) -> tuple[Tensor, int]:
        """Return the convolutions of all networks; the inputs may be the same for all."""
        tensors = [_networks_first(value, place) for value, place in zip(values[:3], in_dims, strict=False)]
        return _Convolutions.apply(*tensors, *values[3:]), 0


def _networks_first(value: Tensor, place: int | None) -> Tensor:
    return value.unsqueeze(0) if place is None else value.movedim(place, 0)


class _Convolutions(torch.autograd.Function):
    """Inputs [S or 1, B, C, L], weights [S, O, C, k] and biases [S or 1, O] give [S, B, O, places].

    Padded inputs are rows [S, B q, step C]: a window reaches over the next few rows, so a convolution is the sum of
    products of shifted rows. Where a row is narrow and has no gradient, windows are copied into rows of k C instead.
    Rows that reach from one sample into the next give numbers that are dropped.
    """

    @staticmethod
    def forward(ctx: Any, inputs: Tensor, weight: Tensor, bias: Tensor, stride: int, padding: int) -> Tensor:
        """Return the outputs, with channels last in memory."""
        samples, channels, length = inputs.shape[1:]
        kernel = weight.shape[3]
        places = (length + 2 * padding - kernel) // stride + 1
        copied = stride * channels < WIDE and not ctx.needs_input_grad[0]
        step, count = (kernel, places) if copied else (stride, max(-(-(length + 2 * padding) // stride), places))
        if copied:
            padded = _padded(inputs, padding, padding)
            rows = padded.unfold(2, kernel, stride).transpose(-1, -2)
        else:
            rows = _padded(inputs, padding, count * step - length - padding)
        rows = rows.reshape(len(inputs), samples * count, step * channels)
        matrix = weight.movedim(2, -1).flatten(2)
        found = torch.baddbmm(bias.unsqueeze(1), _all(rows, matrix), matrix[..., : step * channels].transpose(1, 2))
        for shift, part in _later(matrix, step * channels):
            found[:, :-shift].baddbmm_(_all(rows[:, shift:, : part.shape[2]], matrix), part.transpose(1, 2))
        ctx.save_for_backward(rows, matrix)
        ctx.sizes = inputs.shape, kernel, places, count, step, padding
        outputs: Tensor = found.unflatten(1, (samples, count))[:, :, :places].movedim(-1, 2)
        return outputs

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradients of inputs, weights and biases."""
        rows, matrix = ctx.saved_tensors
        (networks, samples, channels, length), kernel, places, count, step, padding = ctx.sizes
        given = _padded(gradients[0], 0, count - places).reshape(len(matrix), samples * count, -1)
        wide = step * channels
        by_part = [torch.bmm(_all(rows, matrix).transpose(1, 2), given)]
        for shift, part in _later(matrix, wide):
            shifted = _all(rows[:, shift:, : part.shape[2]], matrix)
            by_part.append(torch.bmm(shifted.transpose(1, 2), given[:, :-shift]))
        by_weight = torch.cat(by_part, 1).transpose(1, 2).unflatten(2, (kernel, channels)).movedim(-1, 2)
        if not ctx.needs_input_grad[0]:
            return None, by_weight, given.sum(1), None, None
        by_row = torch.bmm(given, matrix[..., :wide])
        for shift, part in _later(matrix, wide):
            by_row[:, shift:, : part.shape[2]].baddbmm_(given[:, :-shift], part)
        by_input = by_row.view(-1, samples, count * step, channels)[:, :, padding : padding + length].movedim(-1, 2)
        shared = networks == 1 < len(by_input)
        return by_input.sum(0, keepdim=True) if shared else by_input, by_weight, given.sum(1), None, None


def _padded(values: Tensor, before: int, after: int) -> Tensor:
    """Values [S, B, C, L] as [S, B, before + L + after, C], with zeros around them, of which none is written twice."""
    last = values.movedim(2, -1)
    if not before and not after:
        return last
    length = last.shape[2]
    found = last.new_empty(*last.shape[:2], before + length + after, last.shape[3])
    found[:, :, :before] = 0
    found[:, :, before + length :] = 0
    found[:, :, before : before + length] = last
    return found


def _all(rows: Tensor, matrix: Tensor) -> Tensor:
    """Rows that are the same for all networks, once for each."""
    return rows.expand(len(matrix), -1, -1)


def _later(matrix: Tensor, wide: int) -> list[tuple[int, Tensor]]:
    """(shift, weights [S, O, up to ``wide``]) of the rows after the first that a window reaches over."""
    return list(enumerate(matrix.split(wide, 2)))[1:]
