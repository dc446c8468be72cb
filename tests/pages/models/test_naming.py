"""The name of a new model: what was typed, or the first that is free."""

import pytest

from pages.models.naming import unused


@pytest.mark.parametrize(
    ("taken", "joint", "name"),
    [((), " ", "Net"), (("Net",), " ", "Net 2"), (("Net", "Net-2"), "-", "Net-3"), (("Net 2",), " ", "Net")],
)
def test_the_first_free_name_is_found(taken: tuple[str, ...], joint: str, name: str) -> None:
    assert unused("Net", taken, joint) == name
