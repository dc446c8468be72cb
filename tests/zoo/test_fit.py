"""Comparing sources once, and keeping what came of it."""

from pathlib import Path

import pytest

from softmerge_core.errors import SoftMergeError
from softmerge_core.zoo import families, fit
from softmerge_core.zoo.fit import find_fit, is_quick, known_fit

FAMILY = families()["spirals-mlp-shared-trunk"]
MODELS = [FAMILY.source(model) for model in FAMILY.models]


def test_what_was_compared_is_known_by_its_weights_and_nothing_is_read_again(
    home_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert is_quick(MODELS)
    assert known_fit(MODELS) is None
    found = find_fit(MODELS)
    monkeypatch.setattr(fit, "distances", None)
    assert known_fit(MODELS) == found
    assert known_fit(MODELS[:2]) is None
    assert known_fit(MODELS[::-1]) is None  # the order is that of the products


def test_a_damaged_record_is_as_none(home_folder: Path) -> None:
    find_fit(MODELS)
    for content in (b"", b"{}", b'{"parameters": 1, "layers": [{}]}', b"[1]"):
        (path,) = (home_folder / "measured").glob("fit-*.json")
        path.write_bytes(content)
        assert known_fit(MODELS) is None


def test_a_model_that_is_gone_is_named(home_folder: Path) -> None:
    with pytest.raises(SoftMergeError, match="gone"):
        find_fit(["library/gone", MODELS[0]])
    assert known_fit(["library/gone"]) is None
