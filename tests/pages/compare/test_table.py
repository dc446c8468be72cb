"""The comparison as a table."""

import csv
import io

import pytest

from pages.compare.table import COLUMNS, as_csv, as_frame, table_rows
from softmerge_core.events import Score
from softmerge_core.experiments.compare.spec import CompareSpec, MethodChoice, planned
from softmerge_core.experiments.compare.words import report

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


def test_number_columns_are_numbers_even_without_any_value() -> None:
    frame = as_frame(table_rows([], ["average"], live=True))
    numbers = {column.name for column in COLUMNS if column.format}
    assert {name for name in frame if frame[name].dtype == "float64"} == numbers
    assert list(frame["Note"]) == ["waiting"]
