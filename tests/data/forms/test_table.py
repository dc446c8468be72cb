"""Tables of numbers with a column of labels, in the many ways in which they are written."""

from pathlib import Path

import numpy as np
import pytest

from softmerge_core.data.forms import Asked, Raw, table
from softmerge_core.errors import DataError

IRIS = "5.1,3.5,setosa\n4.9,3.0,virginica\n6.0,2.2,setosa\n"


def read(tmp_path: Path, text: str | bytes, label: str = "") -> Raw:
    path = tmp_path / "mine.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return table.read(path, Asked(tmp_path, "mine.csv", label))


def rows(raw: Raw) -> list[list[float]]:
    return np.round(raw.train.inputs(np.arange(len(raw.train.labels))), 4).tolist()  # type: ignore[no-any-return]


EXPECTED = [[5.1, 3.5], [4.9, 3.0], [6.0, 2.2]]


@pytest.mark.parametrize(
    "text",
    [
        IRIS,
        "length,width,kind\n" + IRIS,
        "\n\nlength,width,kind\n" + IRIS,
        "\ufefflength,width,kind\r\n" + IRIS.replace("\n", "\r\n"),
        "length;width;kind\n" + IRIS.replace(",", ";"),
        "length\twidth\tkind\n" + IRIS.replace(",", "\t"),
        '"length, cm",width,"kind"\n' + IRIS,
        "a, b, c\n" + IRIS.replace(",", ", "),
    ],
    ids=["bare", "header", "empty lines", "BOM", "semicolons", "tabs", "quotes", "spaces"],
)
def test_text_labels_in_the_last_column(tmp_path: Path, text: str) -> None:
    raw = read(tmp_path, text)
    assert np.allclose(rows(raw), EXPECTED)
    assert (raw.class_names, raw.train.labels.tolist(), raw.notes) == (("setosa", "virginica"), [0, 1, 0], ())
    assert raw.train.inputs(np.array([1])).dtype == np.float32


@pytest.mark.parametrize("label", ["kind", "1"])
def test_the_label_may_be_any_column(tmp_path: Path, label: str) -> None:
    raw = read(tmp_path, "kind,a,b\nx,1,2\ny,3,4\n", label)
    assert rows(raw) == [[1, 2], [3, 4]]
    assert raw.class_names == ("x", "y")


def test_a_header_of_numbers_is_one_where_it_names_the_label(tmp_path: Path) -> None:
    assert rows(read(tmp_path, "0,1,label\n5,6,a\n7,8,b\n", "label")) == [[5, 6], [7, 8]]


def test_whole_numbers_are_classes_in_their_order(tmp_path: Path) -> None:
    raw = read(tmp_path, "1,10\n2,9\n3,-1\n4,10.0\n")
    assert (raw.class_names, raw.train.labels.tolist()) == (("-1", "9", "10"), [2, 1, 0, 2])


@pytest.mark.parametrize("gap", ["", "NA", "nan", "?", " "])
def test_rows_that_lack_a_value_are_left_out_and_told(tmp_path: Path, gap: str) -> None:
    raw = read(tmp_path, f"a,b,c\n1,2,x\n{gap},3,y\n4,5,{gap}\n6,inf,x\n7,8,z\n")
    assert rows(raw) == [[1, 2], [7, 8]]
    assert raw.class_names == ("x", "z")
    assert raw.notes == ("3 of 5 rows lacked a value and were left out",)


@pytest.mark.parametrize(
    ("text", "label", "message"),
    [
        ("", "", "expected lines of text, got none"),
        ("\n\n\n", "", "expected lines of text"),
        ("just words\nmore\n", "", "2 to 100,000 columns, got 1"),
        (b"PK\x03\x04\0\0", "", "got zero bytes"),
        ("a,b,c\n1,2,x\n", "kind", r"no column 'kind'; expected a number from 1 to 3, or one of: a, b, c"),
        ("a,b,c\n1,2,x\n", "4", "no column '4'"),
        ("a,b,c\n1,Paris,x\n2,3,y\n", "", r"column 'b' holds 'Paris' in row 1: expected numbers; leave the column out"),
        ("a,b\n1,.5\n2,.7\n", "", r"column 'b' holds numbers that are not whole, as '.5'.*another column"),
        ("a,b\n1,\n2,\n", "", "column 'b' holds no labels"),
        ("a,b,c\n1,,x\n2,,y\n", "", "every row lacks a value, most often in column 'b'"),
        ("a,b,c\n1,2,x\n1,2,3,4,5,x\n", "", r"expected a table of numbers .*got: "),
        ("a,b\n" + "".join(f"1,name{k}\n" for k in range(300)), "", "300 different labels in 300 rows"),
        ('a,b\n1,"x\n', "", "expected a table of numbers"),
    ],
)
def test_what_is_wrong_is_told_with_what_to_do(tmp_path: Path, text: str | bytes, label: str, message: str) -> None:
    with pytest.raises(DataError, match=message) as told:
        read(tmp_path, text, label)
    assert str(told.value).startswith("mine.csv: ")
    assert len(str(told.value)) < 600


def test_names_that_are_alike_or_empty_are_told_apart(tmp_path: Path) -> None:
    assert rows(read(tmp_path, "a,a,,kind\n1,2,3,x\n4,5,6,y\n")) == [[1, 2, 3], [4, 5, 6]]


def test_odd_letters_become_names_that_can_be_shown(tmp_path: Path) -> None:
    raw = read(tmp_path, "1,Größe\n2,tab\there\n".replace("\t", "\x07") + "3,\U0001f600\n")
    assert len(raw.class_names) == 3
    assert all(name.isprintable() for name in raw.class_names)


def test_of_a_folder_the_only_table_is_read(tmp_path: Path) -> None:
    (tmp_path / "readme.md").write_text("none")
    (tmp_path / "a.csv").write_text(IRIS)
    assert len(table.read(tmp_path, Asked(tmp_path, "it")).train.labels) == 3
    (tmp_path / "b.csv").write_text(IRIS)
    with pytest.raises(DataError, match=r"expected one \.csv file, found 2"):
        table.read(tmp_path, Asked(tmp_path, "it"))


def test_pandas_is_never_given_an_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("urllib.request.urlopen", lambda *_, **__: pytest.fail("the network was asked"))
    with pytest.raises(DataError, match="expected one"):
        table.read(Path("http://example.org/a.csv"), Asked(tmp_path, "it"))
