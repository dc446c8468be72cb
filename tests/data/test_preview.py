"""A few samples of each class, small enough to be shown."""

import numpy as np

from softmerge_core.data.preview import CLASSES, EACH, LARGEST, few_of_each


def test_the_first_of_each_class_by_class() -> None:
    labels = np.array([1, 0, 1, 1, 0] * 10)
    inputs = np.arange(50)[:, None]
    found = few_of_each(inputs, labels)
    assert found["labels"].tolist() == [0] * EACH + [1] * EACH
    assert found["inputs"][:3, 0].tolist() == [1, 4, 6]


def test_many_classes_and_large_samples_stay_small() -> None:
    labels = np.repeat(np.arange(50), 2)
    assert set(few_of_each(np.zeros((100, 3)), labels)["labels"].tolist()) == set(range(CLASSES))
    images = few_of_each(np.zeros((100, 5, 300, 100), np.uint8), labels)["inputs"]
    assert images.shape[1] == 3
    assert max(images.shape[2:]) <= LARGEST
    assert few_of_each(np.zeros((100, 7, 5000)), labels)["inputs"].shape == (2 * CLASSES, 3, 1000)
    assert few_of_each(np.zeros((100, 2, 2, 2, 200)), labels)["inputs"].shape == (2 * CLASSES, 1000)
