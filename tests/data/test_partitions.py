"""Shards: every sample exactly once, whatever the labels, the clients and the seed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softmerge_core.data.partitions import FEWEST, ShardSettings, class_counts, shards
from softmerge_core.errors import SettingsError

LABELS = np.arange(1000) % 10
FEWER = settings(max_examples=settings().max_examples // 2)  # each deals out hundreds of samples


def dealt(kind: str, clients: int = 10, seed: int = 0, **fields: float) -> list[np.ndarray]:
    return shards(LABELS, clients, ShardSettings.model_validate({"kind": kind, **fields}), seed)


@FEWER
@given(
    st.lists(st.integers(0, 6), min_size=40, max_size=200),
    st.integers(1, 12),
    st.sampled_from(["iid", "dirichlet"]),
    st.floats(1e-3, 1e3),
    st.integers(0, 2**31 - 1),
)
def test_every_sample_is_dealt_once_in_equal_parts(
    labels: list[int], clients: int, kind: str, alpha: float, seed: int
) -> None:
    how = ShardSettings(kind=kind, alpha=alpha)  # type: ignore[arg-type]
    parts = shards(np.array(labels), clients, how, seed)
    assert sorted(np.concatenate(parts).tolist()) == list(range(len(labels)))
    sizes = [len(part) for part in parts]
    assert max(sizes) - min(sizes) <= 1
    again = shards(np.array(labels), clients, how, seed)
    assert all(np.array_equal(a, b) for a, b in zip(parts, again, strict=True))


@FEWER
@given(st.integers(1, 10), st.integers(1, 20), st.integers(0, 2**31 - 1))
def test_by_class_every_client_has_its_number_of_classes(each: int, clients: int, seed: int) -> None:
    if each * clients < 10:
        with pytest.raises(SettingsError, match="all 10 classes"):
            dealt("classes", clients, seed, classes=each)
        return
    parts = dealt("classes", clients, seed, classes=each)
    assert sorted(np.concatenate(parts).tolist()) == list(range(1000))
    counts = np.array(class_counts(LABELS, parts, 10))
    assert ((counts > 0).sum(1) == each).all()
    owners = (counts > 0).sum(0)
    assert owners.max() - owners.min() <= 1


def test_a_small_alpha_leaves_few_classes_and_a_large_one_nearly_all_alike() -> None:
    def largest(alpha: float) -> float:
        counts = [np.array(class_counts(LABELS, dealt("dirichlet", seed=s, alpha=alpha), 10)) for s in range(20)]
        return float(np.mean([table.max(1) / table.sum(1) for table in counts]))

    assert largest(0.01) > 0.75 > largest(0.5) > 0.25 > largest(100)


def test_the_first_client_follows_its_dirichlet() -> None:
    """Before any class is used up, a class's expected share is 1/10 and its variance (1/10)(9/10) / (10 alpha + 1)."""
    first = np.array(
        [np.bincount(LABELS[dealt("dirichlet", 50, s, alpha=1)[0]], minlength=10) / 20 for s in range(800)]
    )
    drawn = 0.09 / 11 + (0.09 - 0.09 / 11) / 20  # and of 20 draws from those shares
    assert first.mean(0) == pytest.approx(np.full(10, 0.1), abs=0.02)
    assert first.var(0).mean() == pytest.approx(drawn, rel=0.1)


@pytest.mark.parametrize("kind", ["iid", "dirichlet", "classes"])
def test_seeds_differ(kind: str) -> None:
    assert any(not np.array_equal(a, b) for a, b in zip(dealt(kind, seed=0), dealt(kind, seed=1), strict=True))


def test_what_cannot_be_dealt_is_refused() -> None:
    with pytest.raises(SettingsError, match=f"{FEWEST} samples each, got 600 clients"):
        dealt("iid", 600)
    with pytest.raises(SettingsError, match="at most the 10"):
        dealt("classes", classes=11)
    uneven = np.array([0] * 2 + [1] * 40)
    with pytest.raises(SettingsError, match="samples a client"):
        shards(uneven, 6, ShardSettings(kind="classes", classes=1), 0)
