"""A network that is wrong and confident."""

from softmerge_core.attacks.base import Attack

ATTACK = Attack(
    name="confident",
    title="Confidently wrong",
    mark="confidently wrong",
    does="Each class is given the next one's answer, and the answers are made that many times as confident.",
    sends="a network that is wrong and sure of it; its answers are sharpened by a factor",
    past="each class was given the next one's answer, {strength:g} times as confident",
    unit="factor",
    usual=5.0,
    strengths=(0.5, 1.0, 2.0, 5.0, 20.0),
    head=lambda parameter, strength: strength * parameter.roll(1, 0),
)
