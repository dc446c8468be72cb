"""The property tests of ``make test`` draw the same examples every time; those of ``make fuzz`` draw new ones."""

import importlib
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import EXAMPLES


def drawn() -> list[tuple[int, float, str]]:
    """Draw examples, as a test does."""
    seen: list[tuple[int, float, str]] = []

    @given(st.integers(), st.floats(allow_nan=False), st.text())
    def look(number: int, share: float, text: str) -> None:
        seen.append((number, share, text))

    look()
    return seen


@pytest.mark.skipif(EXAMPLES != "same", reason="fresh examples are wanted")
def test_examples_do_not_depend_on_what_was_imported_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = drawn()
    numbers = ", ".join(f"{number}, {number}.25, '{number}'" for number in range(10_000, 10_020))
    (tmp_path / "module_with_numbers.py").write_text(f"NUMBERS = [{numbers}]\n")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.import_module("module_with_numbers")
    try:
        assert drawn() == before
    finally:
        del sys.modules["module_with_numbers"]


@pytest.mark.skipif(EXAMPLES != "same", reason="fresh examples are wanted")
def test_no_example_depends_on_the_clock_or_on_an_earlier_run() -> None:
    chosen = settings()
    assert (chosen.derandomize, chosen.deadline, chosen.database) == (True, None, None)


def test_fuzzing_draws_new_examples_every_time() -> None:
    fresh = settings.get_profile("fresh")
    assert (fresh.derandomize, fresh.deadline, fresh.database) == (False, None, None)
    assert fresh.max_examples > settings.get_profile("same").max_examples
