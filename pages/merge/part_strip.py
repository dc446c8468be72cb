"""The network as a strip of its layers, each of which the reader gates, averages, or keeps from a source."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeGuard

import streamlit as st

from softmerge_core.experiments.merge.blocks import MANY, block_names, short_names

_HERE = Path(__file__).parent
_component = st.components.v2.component(
    "softmerge_part_strip",
    html='<div class="sm-strip" role="group"></div>',
    css=(_HERE / "part_strip.css").read_text(encoding="utf-8"),
    js=(_HERE / "part_strip.js").read_text(encoding="utf-8"),
)


class Layer(Protocol):
    """What the strip shows of a layer; ``block`` is the part of the network it lies in."""

    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def block(self) -> str: ...
    @property
    def channels(self) -> int: ...
    @property
    def parameters(self) -> int: ...


def part_strip(
    layers: Sequence[Layer],
    choices: Mapping[str, str],
    sources: Sequence[str],
    *,
    key: str,
    disabled: bool = False,
) -> dict[str, str]:
    """Draw ``layers`` in order; returns for each layer's name "gate", "average" or "keep:<index of a source>".

    More than ``MANY`` layers are folded into blocks that are opened one by one, with a search for names. What is chosen
    for a block is chosen for each of its layers.

    ``choices`` are what the caller remembers, typically what the last call returned, kept in the session's state:
    they are shown, and returned but for what the reader has changed since. A choice that does not fit is "gate".
    """
    count, newest = _newest(choices, key)
    st.session_state[f"{key}:seen"] = count
    shown = settled([layer.name for layer in layers], newest, len(sources))
    _component(
        key=key,
        data={
            "layers": _in_blocks(layers) if len(layers) > MANY else [_plain(layer) for layer in layers],
            "folded": len(layers) > MANY,
            "sources": list(sources),
            "choices": shown,
            "seen": count,
            "label": "Parts of the network, in order",
            "disabled": disabled,
        },
        on_choices_change=_nothing,
    )
    return shown


def settled(names: Sequence[str], choices: Mapping[str, str], sources: int) -> dict[str, str]:
    """A choice for each of ``names``; "gate" for what is missing or names one of the ``sources`` that is not."""
    allowed = {"gate", "average", *(f"keep:{index}" for index in range(sources))}
    return {name: choices[name] if choices.get(name) in allowed else "gate" for name in names}


def _newest(choices: Mapping[str, str], key: str) -> tuple[int, Mapping[str, str]]:
    """(count of the reader's changes, choices): the reader's where they are newer than the last run, else ours."""
    seen = st.session_state.get(f"{key}:seen", 0)
    changed = (st.session_state.get(key) or {}).get("choices")
    if not _sound(changed) or changed["count"] <= seen:
        return seen, choices
    return changed["count"], changed["choices"]


def _sound(changed: Any) -> TypeGuard[dict[str, Any]]:
    """Whether this is what the strip's script sends: other programs may send anything."""
    if not isinstance(changed, dict) or not isinstance(changed.get("count"), int):
        return False
    choices = changed.get("choices")
    return isinstance(choices, dict) and all(isinstance(choice, str) for choice in choices.values())


def _plain(layer: Layer) -> dict[str, Any]:
    return {
        "name": layer.name,
        "kind": layer.kind,
        "block": layer.block,
        "channels": layer.channels,
        "parameters": layer.parameters,
    }


def _in_blocks(layers: Sequence[Layer]) -> list[dict[str, Any]]:
    """The layers, each in the block that its name begins with, and with the short name of that block."""
    blocks = block_names([layer.name for layer in layers])
    short = short_names(blocks)
    pairs = zip(layers, blocks, strict=True)
    return [{**_plain(layer), "block": block, "short": short[block]} for layer, block in pairs]


def _nothing() -> None:
    """A state key is only reported when it has a callback."""
