"""Rules for layers with parameters: their effect on the labels of axes, and the axes of parameters that go along."""

from dataclasses import replace

from torch import Tensor

from softmerge_core.alignment.symmetry.labels import (
    UNIFORM,
    Label,
    fresh,
    joined,
    pin,
    pin_all,
    repeated,
    unify,
)
from softmerge_core.alignment.symmetry.tracing import Call, Labels, Outcome, Rule, Trace, tensors

GATES = {"lstm": 4, "gru": 3, "rnn_tanh": 1, "rnn_relu": 1}


def _reads(trace: Trace, source: Tensor, axis: int, weight: Tensor, weight_axis: int) -> None:
    """Unify ``weight``'s axis with ``axis`` of ``source``, which it meets."""
    trace.reads.add((id(weight), weight_axis))
    trace.read(source, axis, unify(trace.of(source)[axis], trace.of(weight)[weight_axis]))


def _ties(trace: Trace, label: Label, *vectors: Tensor | None) -> Label:
    """Unify vectors with one entry for each channel with the channels."""
    for vector in vectors:
        if vector is not None:
            label = unify(label, trace.of(vector)[0])
    return label


def linear(trace: Trace, call: Call) -> Labels:
    """outputs[..., o] = sum_i weight[o, i] inputs[..., i] + bias[o]."""
    source, weight, bias = call.get(0, "input"), call.get(1, "weight"), call.get(2, "bias")
    if weight.dim() != 2:
        return []
    _reads(trace, source, -1, weight, 1)
    return [*trace.of(source)[:-1], _ties(trace, trace.of(weight)[0], bias)]


def convolution(trace: Trace, call: Call) -> Labels:
    """Any convolution; a depthwise one passes on its input's channels, other grouped ones are in ``_grouped``."""
    source, weight, bias = call.get(0, "input"), call.get(1, "weight"), call.get(2, "bias")
    transposed = "transpose" in call.name
    groups = call.get(6, "groups", 1)
    if source.dim() != weight.dim():
        return []
    pin_all([*trace.of(source)[2:], *trace.of(weight)[2:]])
    positions: Labels = [None] * (source.dim() - 2)
    if groups == 1:
        _reads(trace, source, 1, weight, int(not transposed))
        return [trace.of(source)[0], _ties(trace, trace.of(weight)[int(transposed)], bias), *positions]
    depthwise = groups == source.shape[1]
    trace.has_groups |= not depthwise
    if transposed or not (depthwise or (trace.grouping != "fixed" and id(weight) in trace.own)):
        return []
    if not depthwise:
        return [trace.of(source)[0], _ties(trace, _grouped(trace, source, weight, groups), bias), *positions]
    trace.read(source, 1, trace.of(source)[1])
    times = weight.shape[0] // groups
    out = unify(_widened(trace.of(source)[1], times), trace.of(weight)[0])
    return [trace.of(source)[0], _ties(trace, out, bias), *positions]


def _grouped(trace: Trace, source: Tensor, weight: Tensor, groups: int) -> Label:
    """Return the outputs' label of a convolution with groups, by the freedom that this trace looks for.

    Either whole groups change places, with their inputs and outputs; or channels change places inside their groups.
    The weight's second axis then has other units in the rows of each group.
    """
    ins, outs = weight.shape[1], weight.shape[0] // groups
    pin(trace.of(weight)[1])
    if trace.grouping == "whole":
        units = fresh(groups)
        unify(repeated(units, 1, ins), trace.of(source)[1])
        out = unify(repeated(units, 1, outs), trace.of(weight)[0])
    else:
        inside = trace.inside.setdefault(id(weight), [fresh(ins) for _ in range(groups)])
        unify(joined(inside, [ins] * groups), trace.of(source)[1])
        out = unify(joined([fresh(outs) for _ in range(groups)], [outs] * groups), trace.of(weight)[0])
    trace.read(source, 1, trace.of(source)[1])
    return out


def _widened(label: Label, times: int) -> Label:
    """Return a label in which each position of the axis is repeated ``times`` times."""
    return tuple(replace(segment, inner=segment.inner * times) for segment in label) if label else label


def batch_norm(trace: Trace, call: Call) -> Labels:
    """BatchNorm treats each channel by itself, with its mean, variance, scale and shift."""
    labels = trace.of(call.get(0, "input"))
    vectors = (call.get(n, name) for n, name in ((1, "running_mean"), (2, "running_var"), (3, "weight"), (4, "bias")))
    if len(labels) < 2:
        return []
    labels[1] = _ties(trace, labels[1], *vectors)
    return labels


def layer_norm(trace: Trace, call: Call) -> Labels:
    """LayerNorm and RMSNorm treat the last axes together, in any order; scale and shift go along with them."""
    labels = trace.of(call.get(0, "input"))
    for vector in (call.get(2, "weight"), call.get(3, "bias") if call.name == "layer_norm" else None):
        if vector is not None:
            own = trace.of(vector)
            labels[-len(own) :] = [unify(a, b) for a, b in zip(labels[-len(own) :], own, strict=True)]
    return labels


def group_norm(trace: Trace, call: Call) -> Labels:
    """GroupNorm treats all channels together if they form one group; otherwise channels cannot move."""
    labels = trace.of(call.get(0, "input"))
    if call.get(1, "num_groups") != 1:
        return []
    labels[1] = _ties(trace, labels[1], call.get(2, "weight"), call.get(3, "bias"))
    return labels


def prelu(trace: Trace, call: Call) -> Labels:
    """PReLU has one slope for each channel, or one for all."""
    labels, slope = trace.of(call.get(0, "input")), call.get(1, "weight")
    if slope.numel() > 1:
        labels[1] = _ties(trace, labels[1], slope)
    return labels


def embedding(trace: Trace, call: Call) -> Labels:
    """An embedding looks up rows of a table by number, so the rows cannot move."""
    numbers, table = call.get(0, "input"), call.get(1, "weight")
    row, width = trace.of(table)
    pin(row)
    return [*trace.of(numbers), width]


def recurrent(trace: Trace, call: Call) -> Outcome:
    """LSTM, GRU and RNN: hidden units are permuted together in all gates, inputs and states.

    Projected LSTMs, packed sequences and states that are not zeros are not followed.
    """
    source, states, weights, biases, layers, _, _, two_ways = call.args[:8]
    per = 4 if biases else 2
    known = all(id(state) in trace.zeros for state in tensors(states))
    directions = 1 + bool(two_ways)
    if not known or source.dim() != 3 or len(weights) != per * layers * directions:
        return []
    label, width = trace.of(source)[2], source.shape[2]
    trace.read(source, 2, label)
    every: list[Label] = []
    for layer in range(layers):
        units = [
            _recurrent_layer(trace, weights[per * n : per * (n + 1)], label, GATES[call.name])
            for n in range(layer * directions, (layer + 1) * directions)
        ]
        width = weights[per * layer * directions + 1].shape[1]
        every += units
        label = joined(units, [width] * directions) if directions > 1 else units[0]
    outputs: Labels = [*trace.of(source)[:2], label]
    one = layers * directions == 1
    last: Labels = [UNIFORM, None, label if one else None]
    if not one:  # one tensor holds the states of all layers, of several groups; operations on it are not followed
        trace.mixed.update({id(state): every for state in list(tensors(call.output))[1:]})
    return [outputs, *([last] * (len(list(tensors(call.output))) - 1))]


def _recurrent_layer(trace: Trace, weights: list[Tensor], label: Label, gates: int) -> Label:
    """One layer and direction with weights of the input [gates * H, I] and of the state [gates * H, H], and biases."""
    units = fresh(weights[1].shape[1])
    unify(label, trace.of(weights[0])[1])
    trace.reads |= {(id(weights[0]), 1), (id(weights[1]), 1)}
    unify(units, trace.of(weights[1])[1])
    stacked = repeated(units, gates) if gates > 1 else units
    for weight in weights:
        unify(stacked, trace.of(weight)[0])
    return units


def attention(trace: Trace, call: Call) -> Outcome:
    """Multi-head attention: whole heads and the residual stream are permuted; the inside of a head stays."""
    query, key, value, width, heads, weight, bias = call.args[:7]
    extra = [call.get(7, "bias_k"), call.get(8, "bias_v")]
    out, out_bias = call.get(11, "out_proj_weight"), call.get(12, "out_proj_bias")
    if weight is None or out is None or any(item is not None for item in extra) or query.dim() != 3:
        return []
    trace.pin(t for name in ("key_padding_mask", "attn_mask") for t in tensors(call.kwargs.get(name)))
    for source in (query, key, value):
        pin_all(trace.of(source)[:2])
        _reads(trace, source, -1, weight, 1)
    units = fresh(heads)
    _stack(trace, units, 3, width // heads, weight, bias)
    trace.reads.add((id(out), 1))
    unify(repeated(units, 1, width // heads), trace.of(out)[1])
    result: Labels = [None, None, _ties(trace, trace.of(out)[0], out_bias)]
    if len(list(tensors(call.output))) == 1:
        return [result]
    averaged = call.kwargs.get("average_attn_weights", True)
    weights: Labels = [None] * 3 if averaged else [None, units, None, None]
    return [result, weights]


def _stack(trace: Trace, units: Label, outer: int, inner: int, *stacked: Tensor | None) -> None:
    for tensor in stacked:
        if tensor is not None:
            unify(repeated(units, outer, inner), trace.of(tensor)[0])


CONVOLUTIONS = [f"conv{end}" for end in ("1d", "2d", "3d", "_transpose1d", "_transpose2d", "_transpose3d")]
LAYERS = frozenset([*CONVOLUTIONS, *GATES, "linear", "multi_head_attention_forward", "matmul", "bmm"])
RULES: dict[str, Rule] = {
    **dict.fromkeys(CONVOLUTIONS, convolution),
    **dict.fromkeys(GATES, recurrent),
    "linear": linear,
    "batch_norm": batch_norm,
    "layer_norm": layer_norm,
    "rms_norm": layer_norm,
    "group_norm": group_norm,
    "prelu": prelu,
    "embedding": embedding,
    "multi_head_attention_forward": attention,
}
