"""A strip over the layers of a small convolutional network."""

from dataclasses import dataclass

import streamlit as st

from pages.merge.part_strip import part_strip


@dataclass(frozen=True)
class Layer:
    name: str
    kind: str
    block: str
    channels: int
    parameters: int


LAYERS = [
    Layer("conv1.conv", "Conv1d", "conv1", 24, 144),
    Layer("conv1.norm", "BatchNorm1d", "conv1", 24, 48),
    Layer("conv2.conv", "Conv1d", "conv2", 24, 2904),
    Layer("conv2.norm", "BatchNorm1d", "conv2", 24, 48),
    Layer("conv3.conv", "Conv1d", "conv3", 48, 5808),
    Layer("head", "Linear", "head", 10, 2410),
]
SOURCES = ["shard 1", "<i>shard</i> 2", "shard 3"]


choices = part_strip(LAYERS, st.session_state.get("parts", {}), SOURCES, key="strip")
st.session_state["parts"] = choices
st.text("choices: " + ", ".join(f"{name}={choice}" for name, choice in choices.items()))
if st.button("Average all"):
    st.session_state["parts"] = {layer.name: "average" for layer in LAYERS}
    st.rerun()
