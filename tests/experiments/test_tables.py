"""Tables that are taken along: few digits, names as on the cards, no formulas."""

from math import inf, nan

from softmerge_core.experiments.tables import as_csv


def test_a_table_is_rounded_and_what_is_not_known_is_empty() -> None:
    rows = [["source-2 (nan)", 83.6000001, 1 / 3, None], ["=1+1", nan, -0.0, 1234567], ["a, b", inf, 1e-9, 0]]
    assert as_csv(("Name", "a", "b", "c"), rows).splitlines() == [
        "Name,a,b,c", '"Source 2, NaN",83.6,0.333333,', "'=1+1,,0,1234567", '"a, b",inf,1e-09,0',
    ]  # fmt: skip
