import pytest

from softmerge_core.chance import standard_error


def test_standard_error_is_that_of_two_independent_samples() -> None:
    assert standard_error(0.5, 0.5, 200) == pytest.approx(0.05)
    assert standard_error(1.0, 1.0, 10) == 0
