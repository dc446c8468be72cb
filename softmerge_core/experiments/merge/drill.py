"""The gates of a network of many layers, to be read block by block: a row each, opened to layers and to channels."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from softmerge_core.events import Gates, Stage
from softmerge_core.experiments.merge.blocks import MANY, block_names, inner_name, matching, short_names
from softmerge_core.experiments.merge.rows import GateRows, blocks, gate_rows
from softmerge_core.experiments.words import plural

CHANNELS = 16  # rows at most that a layer is opened to
CLOSED, OPEN, INSIDE = "▸ ", "▾ ", "· "
WHOLE = ".*"  # the end of the key of a block, which may have the name of a layer
Table = NDArray[np.float64]


@dataclass(frozen=True)
class LayerGates:
    """Gates layer by layer: tables [layer, source] of means, and of the numbers of gates at exactly 0 and 1.

    ``sizes``: the gates of one source in each layer; ``spans``: where a layer's rows begin and end in the whole table,
    () where only its layers are known; ``scale``: the mean factor of each layer, () where none is known.
    """

    names: tuple[str, ...]
    sizes: tuple[int, ...]
    probability: Table
    value: Table
    share: Table
    closed: Table
    opened: Table
    spans: tuple[tuple[int, int], ...] = ()
    scale: tuple[float, ...] = ()


@dataclass(frozen=True)
class _Row:
    """A row to be: its title, its label, what a click on it opens or closes, and its layers."""

    title: str
    label: str
    key: str
    layers: tuple[int, ...]


def is_deep(stage: Stage) -> bool:
    """Whether the gates of a stage lie in so many layers that they are read block by block."""
    return len(set(stage.groups or stage.parts)) > MANY


def layer_gates(stage: Stage, gates: Gates, scale: Sequence[float] = ()) -> LayerGates:
    """The gates of a stage layer by layer, whether they were reported one by one or as means over their layers."""
    probability, value = (np.asarray(table, dtype=float) for table in (gates.probability, gates.value))
    if stage.sizes:
        share, closed, full = (np.asarray(table, dtype=float) for table in (gates.share, gates.closed, gates.opened))
        factors = tuple(scale) if len(scale) == len(stage.parts) else ()
        return LayerGates(stage.parts, stage.sizes, probability, value, share, closed, full, scale=factors)
    owners = stage.groups if len(stage.groups) == len(stage.parts) else stage.parts
    found = blocks(owners)
    firsts, counts = [first for _, first, _ in found], np.array([last - first + 1 for _, first, last in found])

    def total(table: Table) -> Table:
        return np.asarray(np.add.reduceat(table, firsts, axis=0), dtype=float)

    share = value / np.maximum(value.sum(1, keepdims=True), 1e-12)
    probability, means, share = (total(table) / counts[:, None] for table in (probability, value, share))
    closed, full = (total((value == edge).astype(float)) for edge in (0, 1))
    logs = np.log(np.asarray(scale, dtype=float))[:, None] if len(scale) == len(stage.parts) else None
    factors = () if logs is None else tuple(np.exp(total(logs)[:, 0] / counts).tolist())
    spans = tuple((first, last + 1) for _, first, last in found)
    names, sizes = tuple(name for name, _, _ in found), tuple(counts.tolist())
    return LayerGates(names, sizes, probability, means, share, closed, full, spans, factors)


def deep_rows(
    stage: Stage, gates: Gates, scale: Sequence[float] = (), *, opened: Collection[str] = (), wanted: str = ""
) -> GateRows:
    """A row for each block of layers; those whose key is ``opened`` are followed by their layers, these by channels.

    With a search for ``wanted`` only the layers whose names have it are there; if none has it, all blocks.
    """
    table = layer_gates(stage, gates, scale)
    owners = block_names(table.names)
    short = short_names(owners)
    found = set(matching(table.names, wanted)) if wanted.strip() else set()
    rows: list[GateRows] = []
    for block, group in groupby(range(len(owners)), key=owners.__getitem__):
        places = [place for place in group if not found or table.names[place] in found]
        before = INSIDE if owners.count(block) > 1 else ""
        if places and before:
            key = block + WHOLE
            unfolded = bool(found) or key in opened
            title = f"{block}, {plural(len(places), 'layer')}"
            rows.append(_means(table, _Row(title, (OPEN if unfolded else CLOSED) + short[block], key, tuple(places))))
            places = places if unfolded else []
        for place in places:
            inner = inner_name(table.names[place], block)
            rows += _layer(table, place, before, inner, stage, gates, scale, opened)
    return _joined(rows)


def _layer(
    table: LayerGates,
    place: int,
    before: str,
    inner: str,
    stage: Stage,
    gates: Gates,
    scale: Sequence[float],
    opened: Collection[str],
) -> list[GateRows]:
    """The row of a layer, and if it is opened those of its channels; ``before`` stands before its ``inner`` name."""
    name, size = table.names[place], table.sizes[place]
    key = name if table.spans and size > 1 else ""
    mark = (OPEN if key in opened else CLOSED) if key else ""
    rows = [_means(table, _Row(name, before + mark + inner, key, (place,)))]
    if key and key in opened:
        span = slice(*table.spans[place])
        parts = gate_rows(
            stage.parts[span], stage.groups[span], gates.probability[span], gates.value[span], scale[span],
            most=CHANNELS,
        )  # fmt: skip
        rows.append(_plain(parts))
    return rows


def _means(table: LayerGates, row: _Row) -> GateRows:
    """One row: the means over all gates in its layers."""
    layers = list(row.layers)
    weights = np.array([table.sizes[place] for place in layers], dtype=float)
    means = [(tuple((weights @ each[layers] / weights.sum()).tolist()),) for each in _averaged(table)]
    counts = [(tuple(int(count) for count in each[layers].sum(0)),) for each in (table.closed, table.opened)]
    scale = _mean_scale(table, layers, weights)
    probability, value, share = means
    return GateRows(
        (row.title,), (row.label,), probability, value, scale, int(weights.sum()),
        keys=(row.key,), sizes=(int(weights.sum()),), share=share, closed=counts[0], opened=counts[1],
    )  # fmt: skip


def _averaged(table: LayerGates) -> tuple[Table, Table, Table]:
    return table.probability, table.value, table.share


def _mean_scale(table: LayerGates, layers: Sequence[int], weights: Table) -> tuple[float, ...]:
    if not table.scale:
        return ()
    logs = np.log([table.scale[place] for place in layers])
    return (float(np.exp(weights @ logs / weights.sum())),)


def _plain(rows: GateRows) -> GateRows:
    """The rows of channels among those of layers: without a label, and nothing to open."""
    values = np.asarray(rows.value)
    share = values / np.maximum(values.sum(1, keepdims=True), 1e-12)
    exact = [tuple(tuple(int(z == edge) for z in row) for row in rows.value) for edge in (0, 1)]
    count = len(rows.titles)
    return GateRows(
        rows.titles, ("",) * count, rows.probability, rows.value, rows.scale, rows.each,
        keys=("",) * count, sizes=(1,) * count, share=tuple(map(tuple, share.tolist())), closed=exact[0],
        opened=exact[1],
    )  # fmt: skip


def _joined(rows: Sequence[GateRows]) -> GateRows:
    """Rows one after the other."""
    fields = ("titles", "groups", "probability", "value", "scale", "keys", "sizes", "share", "closed", "opened")
    joined = {name: tuple(item for each in rows for item in getattr(each, name)) for name in fields}
    return GateRows(**joined, each=max(each.each for each in rows))
