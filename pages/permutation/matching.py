"""The engine's own matching of the two networks: a worker finds it, or a process of its own while all are busy."""

import json
import time
from collections.abc import Sequence
from typing import Any

import streamlit as st

from pages.permutation.hand import newest
from pages.permutation.orders import Orders
from pages.shared.choose.zoo_command import zoo_command
from pages.shared.runs.services import runner
from softmerge_core.alignment.models import match_models
from softmerge_core.errors import SoftMergeError
from softmerge_core.experiments.words import sentence

PATIENCE = 8.0  # seconds; a free worker takes a tenth of one, one that has just begun a few
ANSWER = "permutation:answer"
FAILURE = "the matching did not come to an end: try again"


def answer_to(first: str, second: str, layers: Sequence[str], sizes: Sequence[int]) -> dict[str, Any] | None:
    """What came of the newest press of Align: its ``count``, and ``orders``, ``seconds`` and ``waited``, or a
    ``problem`` in words; None before the first one."""
    asked, known = newest("asked", sizes), st.session_state.get(ANSWER)
    if asked is None or (known and known["count"] == asked["count"]):
        found: dict[str, Any] | None = known
        return found
    try:
        found = matched(first, second, layers, asked["orders"])
    except SoftMergeError as error:
        found = {"problem": sentence(str(error))}
    st.session_state[ANSWER] = {"count": asked["count"], **found}
    return {"count": asked["count"], **found}


def matched(first: str, second: str, layers: Sequence[str], orders: Orders) -> dict[str, Any]:
    """The ``orders`` in which ``second`` is nearest to ``first``, found from these orders of its units.

    ``layers``: the names of the hidden layers. ``seconds``: what the matching took, ``waited``: with all around it.
    Raises SoftMergeError.
    """
    begun = time.monotonic()
    found = _found(first, second, orders)
    moves = {group["name"]: group["order"] for group in found["groups"]}
    places = [moves.get(f"{name}.weight:0", range(len(order))) for name, order in zip(layers, orders, strict=True)]
    now = [[order[place] for place in moved] for order, moved in zip(orders, places, strict=True)]
    return {"orders": now, "seconds": found["seconds"], "waited": time.monotonic() - begun}


def _found(first: str, second: str, orders: Orders) -> dict[str, Any]:
    """What ``match_models`` says. A worker has torch at hand, but may be busy with a run, or gone."""
    try:
        told: dict[str, Any] = dict(runner().compute(match_models, first, second, orders).result(timeout=PATIENCE))
    except Exception:  # whatever a worker may say: the command says it in words
        told = zoo_command("match", first, second, f"--orders={json.dumps(orders)}", failure=FAILURE)
    return told
