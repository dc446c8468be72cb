"""Tables that are taken along: few digits, names as on the cards, no formulas."""

from math import inf, nan

from softmerge_core.experiments.tables import as_csv, as_values


def test_a_table_is_rounded_and_what_is_not_known_is_empty() -> None:
    rows = [["source-2 (nan)", 83.6000001, 1 / 3, None], ["=1+1", nan, -0.0, 1234567], ["a, b", inf, 1e-9, 0]]
    assert as_csv(("Name", "a", "b", "c"), rows).splitlines() == [
        "Name,a,b,c", '"Source 2, NaN",83.6,0.333333,', "'=1+1,,0,1234567", '"a, b",inf,1e-09,0',
    ]  # fmt: skip


def test_a_table_as_shown_becomes_values_with_units() -> None:
    rows = [["Soft merge", "88.5\u00a0%", "+1.2", "=1+1"], ["Average", "1,000.0\u00a0%", "\u22120.4", ""]]
    head, values = as_values(["Network", "Test", "Points", "Note"], rows)
    assert head == ["Network", "Test (%)", "Points", "Note"]
    assert values == [["Soft merge", 88.5, 1.2, "=1+1"], ["Average", 1000.0, -0.4, ""]]
    assert as_csv(head, values, exact=True).splitlines()[1:] == ["Soft merge,88.5,1.2,'=1+1", "Average,1000.0,-0.4,"]
