"""The order in which the samples of a data set come."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from softmerge_core.data.order import stratified_order

labels = st.lists(st.integers(0, 5), min_size=1, max_size=200).map(np.array)


@given(labels, st.integers(0, 9))
def test_every_stretch_holds_each_class_in_its_share(labels: np.ndarray, seed: int) -> None:
    order = stratified_order(labels, seed)
    assert sorted(order.tolist()) == list(range(len(labels)))
    for label in np.unique(labels):
        count = np.cumsum(labels[order] == label)
        expected = np.arange(1, len(labels) + 1) * count[-1] / len(labels)
        assert np.abs(count - expected).max() <= len(np.unique(labels)), f"class {label} comes in heaps"


def test_the_seed_decides_which_samples_of_a_class_come_first() -> None:
    labels = np.repeat(np.arange(3), 50)
    assert np.array_equal(stratified_order(labels, 4), stratified_order(labels, 4))
    assert not np.array_equal(stratified_order(labels, 4), stratified_order(labels, 5))
