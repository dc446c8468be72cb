"""Noise added to every weight."""

from softmerge_core.attacks.base import Attack

ATTACK = Attack(
    name="noise",
    title="Noise",
    mark="noise",
    does="Noise of the strength times each tensor's standard deviation is added to its weights.",
    sends="its weights with noise on top, in standard deviations of each tensor",
    past="noise of {strength:g} times each tensor's spread was added to its weights",
    unit="SDs of each tensor",
    usual=3.0,
    strengths=(0.1, 0.3, 1.0, 3.0, 10.0),
    random=True,
    weights=lambda value, strength, draw: value + strength * draw.noise(value),
)
