"""A strip over the layers of a deep network, which are folded into blocks."""

from dataclasses import dataclass

import streamlit as st

from pages.merge.part_strip import part_strip


@dataclass(frozen=True)
class Layer:
    name: str
    kind: str = "Conv2d"
    block: str = ""
    channels: int = 64
    parameters: int = 36_864


NAMES = [f"layer{block}.{unit}.conv{place}" for block in (1, 2, 3) for unit in range(4) for place in (1, 2)]
LAYERS = [Layer("stem"), *map(Layer, NAMES), Layer("fc")]

choices = part_strip(LAYERS, st.session_state.get("deep-parts", {}), ["one", "two"], key="deep")
st.session_state["deep-parts"] = choices
others = {name: choice for name, choice in choices.items() if choice != "gate"}
st.text("choices: " + (", ".join(f"{name}={choice}" for name, choice in others.items()) or "all gated"))
if st.button("Run again"):
    st.rerun()
