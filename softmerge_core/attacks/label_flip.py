"""A network trained further on wrong labels."""

from softmerge_core.attacks.base import Attack

ATTACK = Attack(
    name="label_flip",
    title="Flipped labels",
    mark="labels flipped",
    does="It is trained on for that many epochs with the labels turned around (0 for 9, 1 for 8).",
    sends="a network trained further, for some epochs, on wrong labels",
    past="it was trained on for {strength:g} epochs with the labels turned around",
    unit="epochs",
    usual=5.0,
    strengths=(1.0, 2.0, 5.0, 10.0, 20.0),
    random=True,
    labels=lambda labels, classes: classes - 1 - labels,
)
