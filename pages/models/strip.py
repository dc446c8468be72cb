"""A network as a strip of its layers, to look at: kind, channels and parameters of each, in order."""

import html
from collections.abc import Sequence
from itertools import groupby
from math import log2
from pathlib import Path

import streamlit as st

from softmerge_core.zoo import LayerInfo

_CSS = (Path(__file__).parent / "strip.css").read_text(encoding="utf-8")


def count(number: int) -> str:
    """A number of parameters in at most four letters and a unit."""
    if number >= 1_000_000:
        return f"{number / 1e6:.1f} M"
    return f"{number / 1e3:.1f} k" if number >= 10_000 else f"{number:,}"


def model_strip(layers: Sequence[LayerInfo]) -> None:
    """Draw ``layers`` in order, block by block; a bar in each shows its share of all parameters."""
    total = max(1, sum(layer.parameters for layer in layers))
    blocks = "".join(_block(block, list(inside), total) for block, inside in groupby(layers, lambda layer: layer.block))
    label = "Parts of the network, in order"
    st.html(f'<style>{_CSS}</style><div class="sm-parts" role="list" aria-label="{label}">{blocks}</div>')


def _block(name: str, layers: Sequence[LayerInfo], total: int) -> str:
    """A block's name over its layers; a block that is one layer is named once."""
    title = "" if [layer.name for layer in layers] == [name] else html.escape(name)
    inside = "".join(_layer(layer, total) for layer in layers)
    return (
        f'<div class="sm-part-block" role="listitem"><div class="sm-part-block-name">{title}</div>'
        f'<div class="sm-part-row" role="list">{inside}</div></div>'
    )


def _layer(layer: LayerInfo, total: int) -> str:
    inner = layer.name.removeprefix(f"{layer.block}.")
    name = layer.name if inner.replace(".", "").isdigit() else inner  # a bare number says nothing
    share = layer.parameters / total
    width = 7.2 + 0.25 * log2(layer.parameters + 2)
    return (
        f'<div class="sm-part" role="listitem" style="min-width: {width:.1f}rem"><b>{html.escape(name)}</b>'
        f"<span>{html.escape(layer.kind)}, {layer.channels:,}\u00a0ch</span>"
        f"<span>{count(layer.parameters)} param.</span>"
        f'<i style="width: {100 * share:.1f}%" title="{100 * share:.1f}\u00a0% of all parameters"></i></div>'
    )
