"""The networks whose units can be moved by hand: perceptrons over the plane, as their weights and samples are sent."""

import base64
from typing import Any

import numpy as np
import streamlit as st

from softmerge_core.data import datasets
from softmerge_core.errors import CheckpointError
from softmerge_core.zoo import FamilyInfo
from softmerge_core.zoo.arrays import arrays_of

MLPS = ("mlp", "mlp1", "mlp3", "mlp_wide")  # networks of linear layers with ReLU between them
HEAD = "head.weight"
MARGIN = 0.08  # of the samples' extent, around them


def is_drawable(family: FamilyInfo) -> bool:
    """Whether a family is of this project's perceptrons, which read two numbers of a data set that ships."""
    return family.network in MLPS and family.input_shape == (2,) and family.dataset in datasets()


def layers_of(model: str) -> list[dict[str, Any]]:
    """Each linear layer in order: its ``weight`` [rows, columns] and ``bias`` [rows] as base64 of float32.

    Raises CheckpointError for a file that is not of such layers one after the other, and what ``arrays_of`` raises.
    """
    arrays = arrays_of(model)
    hidden = sorted(name.removesuffix(".weight") for name in arrays if name.endswith(".weight") and name != HEAD)
    names = [*hidden, "head"]
    layers = [(name, arrays.get(f"{name}.weight"), arrays.get(f"{name}.bias")) for name in names]
    width = 2
    for name, weight, bias in layers:
        if weight is None or bias is None or weight.ndim != 2 or weight.shape[1] != width or len(weight) != len(bias):
            raise CheckpointError(f"{model}: layer {name!r}: expected a linear layer that reads {width} numbers")
        width = len(weight)
    return [
        {"name": name, "rows": len(bias), "weight": packed(weight), "bias": packed(bias)}
        for name, weight, bias in layers
        if weight is not None and bias is not None
    ]


@st.cache_resource(max_entries=8, show_spinner=False)
def samples_of(dataset: str) -> dict[str, Any]:
    """The test samples: ``inputs`` [N, 2] as base64 of float32, ``labels`` [N], and the ``extent`` that shows all."""
    arrays = datasets()[dataset].load()
    inputs = arrays["test_inputs"]
    low, high = inputs.min(axis=0), inputs.max(axis=0)
    room = MARGIN * (high - low)
    extent = np.stack([low - room, high + room], axis=1).reshape(-1)
    labels = [int(label) for label in arrays["test_labels"]]
    return {"inputs": packed(inputs), "labels": labels, "extent": [round(float(end), 4) for end in extent]}


def packed(values: np.ndarray) -> str:
    """Numbers as base64 of little-endian float32."""
    return base64.b64encode(np.ascontiguousarray(values, dtype="<f4").tobytes()).decode()
