"""What is said about the weights of sources, on the shipped families, whose history is known."""

from itertools import combinations

import numpy as np
import pytest

from softmerge_core.checkpoints.distances import Distances, Layer, distances
from softmerge_core.experiments.merge.fit import (
    APART,
    KIN,
    extremes,
    fit_sentence,
    layer_rows,
    not_finite,
    pair_rows,
    pairs,
)
from softmerge_core.zoo import families, weights_file

NOISY = "noise"  # of three standard deviations: little is left of what it came from


def found_in(family: str) -> Distances:
    info = families()[family]
    return distances([weights_file(info.source(model)) for model in info.models])


@pytest.mark.parametrize("family", sorted(families()))
def test_families_that_share_a_trunk_look_akin_and_those_trained_apart_do_not(family: str) -> None:
    info = families()[family]
    drowned = {place for place, model in enumerate(info.models) if model.attack and model.attack.kind == NOISY}
    for pair in pairs(found_in(family)):
        if info.trunk is None:
            assert pair.kin <= APART
        elif not drowned & {pair.first, pair.second}:
            assert pair.kin >= KIN


def test_the_sentence_says_look_as_if_and_the_number_it_rests_on() -> None:
    names = [f"Source {number}" for number in range(1, 5)]
    akin = fit_sentence(found_in("digits-vit-shared-trunk"), names)
    assert akin.startswith("The sources look as if they share an ancestor (|cosine| 0.9")
    apart = fit_sentence(found_in("mnist1d-cnn-independent"), names)
    assert apart.startswith("The sources look as if each started from weights of its own (|cosine| 0.0")


def test_extreme_values_are_named_with_layer_source_and_how_far() -> None:
    info = families()["mnist1d-cnn-poisoned-1"]
    (spoiled,) = (place for place, model in enumerate(info.models) if model.attack)
    names = [f"Source {number}" for number in range(1, 5)]
    found = found_in(info.name)
    assert {one.source for one in extremes(found)} == {spoiled}
    assert f"Extreme values in Source {spoiled + 1} (" in fit_sentence(found, names)
    assert extremes(found_in("mnist1d-cnn-shared-trunk")) == []


def made(vectors: np.ndarray, broken: tuple[int, ...] = ()) -> Distances:
    """One layer of these weights [K, n]."""
    products = (vectors @ vectors.T).tolist()
    largest = np.abs(vectors).max(1).tolist()
    return Distances(
        vectors.shape[1], [Layer("conv", products, products, largest, list(broken or (0,) * len(vectors)))]
    )


def test_distance_and_cosine_are_those_of_the_vectors() -> None:
    vectors = np.random.default_rng(0).normal(size=(3, 500)) + 0.7
    for pair, (a, b) in zip(pairs(made(vectors)), combinations(vectors, 2), strict=True):
        norms = np.linalg.norm(a), np.linalg.norm(b)
        assert pair.distance == pytest.approx(np.linalg.norm(a - b) / np.mean(norms))
        assert pair.cosine == pytest.approx(a @ b / np.prod(norms))


def test_the_same_network_twice_is_no_distance_apart_and_zeros_divide_nothing() -> None:
    vector = np.full(100, 1e-3)
    (same,) = pairs(made(np.stack([vector, vector])))
    assert (same.distance, same.cosine) == (pytest.approx(0, abs=1e-6), pytest.approx(1))
    (zero,) = pairs(made(np.zeros((2, 100))))
    assert (zero.distance, zero.cosine, zero.kin) == (0, 0, 0)


def test_one_that_is_little_akin_is_named_and_so_is_what_is_not_finite() -> None:
    draw = np.random.default_rng(1)
    trunk = draw.normal(size=1000)
    akin = [trunk + 0.3 * draw.normal(size=1000) for _ in range(3)]
    found = made(np.stack([*akin, draw.normal(size=1000)]), broken=(0, 2, 0, 0))
    said = fit_sentence(found, ["a", "b", "c", "odd"])
    assert said.startswith("NaN or Inf in b (conv).")
    assert "odd looks little akin to the others" in said
    assert not_finite(found) == [("conv", 1, 2)]


def test_rows_for_pairs_and_layers() -> None:
    found = found_in("spirals-mlp-shared-trunk")
    assert len(pair_rows(found, ["a", "b", "c", "d"])) == 6
    assert [row[0] for row in layer_rows(found)] == [layer.name for layer in found.layers]
