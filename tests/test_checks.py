"""What must hold before any training starts."""

from softmerge_core.checks import unique_names


def test_equal_names_are_told_apart() -> None:
    assert unique_names(["a", "b", "a", "a (2)", "a"]) == ("a", "b", "a (2)", "a (2) (2)", "a (3)")
