"""Weights so large that they drown the others in any average."""

from softmerge_core.attacks.base import Attack

ATTACK = Attack(
    name="extreme",
    title="Extreme values",
    mark="extreme values",
    does="Every weight is multiplied by the strength, with noise of the same size: it drowns the others.",
    sends="weights blown up by a factor, with noise on top",
    past="its weights were blown up {strength:g}-fold, with noise",
    unit="factor",
    usual=50.0,
    strengths=(1.0, 5.0, 15.0, 50.0, 150.0),
    random=True,
    weights=lambda value, strength, draw: strength * (value + draw.noise(value)),
)
