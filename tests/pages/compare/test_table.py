"""The comparison as a table."""

import csv
import io

import pytest

from pages.compare import table
from pages.compare.table import COLUMNS, _rounded, as_csv, as_frame, table_rows
from softmerge_core.events import Score
from softmerge_core.experiments.compare.spec import CompareSpec, MethodChoice, planned
from softmerge_core.experiments.compare.words import report
from softmerge_core.experiments.words import percent

SPEC = CompareSpec(methods=tuple(MethodChoice(method=name) for name in ("average", "median", "ties")))


def test_rows_say_what_a_method_saw_and_why_one_failed() -> None:
    problem = "needs a base model, and none is known for these sources"
    scores = [Score(step=1, series="ties", problem=problem)]
    entries = report(SPEC, scores)["rows"]
    rows = {row["Method"]: row for row in table_rows(entries, planned(SPEC), live=False)}
    assert rows["TIES"]["Note"] == problem.capitalize()
    assert rows["TIES"]["Accuracy"] is None
    assert rows["TIES"]["Needs"] == "base model"
    assert rows["Plain average"]["Note"] == "not run"


def test_the_table_as_csv_has_its_units_and_numbers() -> None:
    scores = [Score(step=1, series="average", accuracy=0.5, loss=2, calibration=0.25, validation=0.5, memory=7)]
    rows = table_rows(report(SPEC, scores)["rows"], ["average"], live=False)
    (row,) = csv.DictReader(io.StringIO(as_csv(rows)))
    assert (row["Method"], float(row["Test acc. (%)"]), float(row["ECE (%)"])) == ("Plain average", 50, 25)
    assert float(row["±"]) == pytest.approx(
        3.09, abs=0.01
    )  # of the 1,000 test samples: one network has an interval too
    assert float(row["Peak (MB)"]) == 7


def test_the_csv_has_each_seed_and_no_more_digits_than_mean_anything() -> None:
    kept = {"loss": 2 / 3, "calibration": 0.1, "validation": 0.5, "took": 1 / 7}
    scores = [
        *(Score(step=s, seed=s, series="average", accuracy=a, **kept) for s, a in enumerate((0.5, 1 / 3, 0.25))),
        Score(step=4, series="=1+1", accuracy=0.5, **kept),
    ]
    text = as_csv(table_rows(report(SPEC, scores)["rows"], ["average"], live=False))
    merge, source = csv.DictReader(io.StringIO(text))
    assert [merge[f"Test acc. (%), seed {seed}"] for seed in (1, 2, 3)] == ["50", "33.3333", "25"]
    assert (merge["Loss (nats)"], merge["Loss (nats), seed 3"], merge["Seconds, seed 2"]) == (
        "0.666667",
        "0.666667",
        "0.142857",
    )
    assert source["Test acc. (%), seed 1"] == ""
    assert source["Method"] == "Source: =1+1"
    assert max(len(part) for line in text.splitlines()[1:] for part in line.split(",") if part[:1].isdigit()) <= 8


def test_number_columns_are_numbers_even_without_any_value() -> None:
    frame = as_frame(table_rows([], ["average"], live=True))
    numbers = {column.name for column in COLUMNS if column.format}
    assert {name for name in frame if frame[name].dtype == "float64"} == numbers
    assert list(frame["Note"]) == ["waiting"]


def test_the_table_rounds_as_sentences_and_pictures_do_and_the_csv_not_at_all() -> None:
    """What lies halfway is rounded up by a browser."""
    rows = table_rows(report(SPEC, [Score(step=1, series="average", accuracy=0.8825)])["rows"], ["average"], live=False)
    assert _rounded(as_frame(rows))["Accuracy"].tolist() == [float(percent(0.8825).partition("\u00a0")[0])] == [88.2]
    assert "88.25" in as_csv(rows)


def test_a_pinned_run_has_columns_of_its_own_and_only_where_there_is_one() -> None:
    rows = [{"Method": "Plain average", "Accuracy": 84.0}, {"Method": "TIES", "Accuracy": None}]
    beside = table.beside_pinned(rows, [{"Method": "Plain average", "Accuracy": 80.5}, {"Method": "TIES"}])
    assert [(row["Pinned"], row["Gain"]) for row in beside] == [(80.5, 3.5), (None, None)]
    assert "Pinned (%)" in table.as_csv(beside)
    assert "Pinned (%)" not in table.as_csv(rows)
