"""Weights with every sign flipped."""

from softmerge_core.attacks.base import Attack

ATTACK = Attack(
    name="sign_flip",
    title="Flipped signs",
    mark="signs flipped",
    does="The sign of every weight is turned around.",
    sends="its weights with every sign flipped",
    past="the sign of every weight was flipped",
    weights=lambda value, strength, draw: -value,
)
