"""Weights that are NaN or infinite."""

from softmerge_core.attacks.base import Attack

NAN = Attack(
    name="nan",
    title="NaN",
    mark="NaN",
    does="One weight of each tensor becomes NaN: a merge must refuse or exclude it.",
    sends="weights that are not a number; they are excluded, and the page says so",
    past="one weight of each tensor was replaced by NaN",
    finite=False,
    weights=lambda value, strength, draw: draw.replace_one(value, float("nan")),
)
INF = Attack(
    name="inf",
    title="Inf",
    mark="Inf",
    does="One weight of each tensor becomes infinite: a merge must refuse or exclude it.",
    sends="weights that are infinite; they are excluded, and the page says so",
    past="one weight of each tensor was replaced by infinity",
    finite=False,
    weights=lambda value, strength, draw: draw.replace_one(value, float("inf")),
)
ATTACK = (NAN, INF)
