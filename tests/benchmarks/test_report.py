"""The report of all benchmarks: they are found by their constant, and a new section replaces only its own."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import report
from benchmarks.base import Benchmark
from benchmarks.report import compose, main, sections
from benchmarks.tables import Table
from softmerge_core.registry import declared

MODULE = '''"""What {name} is."""
from pathlib import Path
from benchmarks.base import Benchmark
from benchmarks.tables import Table

{imports}

def tables(device, *, seeds=2):
    yield Table(("seed", "device"), ([str(seed), device] for seed in range(seeds)))
    yield Path(__file__).with_name("said.txt").read_text()
    {last}


BENCHMARK = Benchmark(name="{name}", title="The {name}", minutes={minutes}, tables=tables, devices={devices})
'''


def write(folder: Path, name: str, *, imports: str = "", last: str = "", minutes: int = 1, cuda: bool = False) -> None:
    """Write one benchmark into the package in ``folder``."""
    devices = ("cuda",) if cuda else ("cpu",)
    text = MODULE.format(name=name, imports=imports, last=last, minutes=minutes, devices=devices)
    (folder / f"{name}.py").write_text(text, encoding="utf-8")


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package of two benchmarks, and a file beside them that is none and must not be imported."""
    folder = tmp_path / "measured_for_tests"
    folder.mkdir()
    for name in ("first", "second"):
        write(folder, name)
    (folder / "said.txt").write_text("before", encoding="utf-8")
    (folder / "helper.py").write_text("raise RuntimeError\n", encoding="utf-8")
    (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    yield folder
    for name in [name for name in sys.modules if name.partition(".")[0] == folder.name]:
        del sys.modules[name]


def run(package: Path, *arguments: str) -> tuple[int, dict[report.Key, str]]:
    """The exit code of the command, and the sections of the report that it has written."""
    out = package.parent / "report.md"
    code = main([*arguments, "--out", str(out)], package.name)
    return code, sections(out.read_text(encoding="utf-8")) if out.exists() else {}


def test_every_benchmark_is_found_and_has_a_section_with_its_text_tables_and_stamp(package: Path) -> None:
    code, found = run(package)
    assert code == 0
    assert list(found) == [("first", "cpu"), ("second", "cpu")]
    first = found["first", "cpu"]
    assert first.startswith("## The first\n\nWhat first is.\n\n| seed | device |\n|---|---|\n| 0 | cpu |\n| 1 | cpu |")
    assert "\n\nbefore\n\nMeasured 20" in first
    assert f"Python {sys.version_info.major}.{sys.version_info.minor}" in first
    assert "cores" in first


def test_a_measurement_replaces_only_its_own_section(package: Path) -> None:
    _, old = run(package)
    (package / "said.txt").write_text("after", encoding="utf-8")
    _, new = run(package, "--only", "second")
    assert new["first", "cpu"] == old["first", "cpu"]
    assert "after" in new["second", "cpu"]


def test_one_that_fails_keeps_its_old_section_and_the_others_are_measured(
    package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, old = run(package)
    write(package, "first", last="raise ValueError('broken')")
    del sys.modules[f"{package.name}.first"]
    (package / "said.txt").write_text("after", encoding="utf-8")
    code, new = run(package)
    assert code == 1
    assert "broken" in capsys.readouterr().err
    assert new["first", "cpu"] == old["first", "cpu"]
    assert "after" in new["second", "cpu"]


def test_one_whose_package_is_absent_is_left_out_in_a_sentence(
    package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(package, "third", imports="import not_installed_here")
    code, found = run(package)
    assert code == 0
    assert ("third", "cpu") not in found
    assert "third is left out: the package not_installed_here is not installed" in capsys.readouterr().out


def test_missing_goes_on_where_a_report_ended_and_minutes_leave_out_what_takes_longer(package: Path) -> None:
    run(package, "--only", "first")
    (package / "said.txt").write_text("after", encoding="utf-8")
    write(package, "third", minutes=60)
    _, found = run(package, "--missing", "--minutes", "5")
    assert list(found) == [("first", "cpu"), ("second", "cpu")]
    assert "before" in found["first", "cpu"]
    assert "after" in found["second", "cpu"]


def test_what_is_not_measured_on_a_device_is_left_out(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(package, "third", cuda=True)
    assert list(run(package)[1]) == [("first", "cpu"), ("second", "cpu")]
    run(package, "--only", "third")
    assert "third is left out: it is not measured on cpu" in capsys.readouterr().out


def test_sections_of_another_report_are_added(package: Path) -> None:
    _, old = run(package)
    other = package.parent / "other.md"
    other.write_text(compose({("first", "cuda"): "## The first, on cuda\n\n| a |\n|---|\n| 1 |"}), encoding="utf-8")
    code, new = run(package, "--add", str(other))
    assert code == 0
    assert new == {**old, ("first", "cuda"): "## The first, on cuda\n\n| a |\n|---|\n| 1 |"}


def test_listing_imports_no_benchmark(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"], package.name) == 0
    assert "The first" in capsys.readouterr().out
    assert not {f"{package.name}.first", f"{package.name}.helper"} & set(sys.modules)


def test_the_titles_of_the_sections_are_listed_as_links() -> None:
    text = compose({("b", "cpu"): "## The b, in models\n\ntext", ("a", "cpu"): "## The a\n\ntext"})
    assert "- [The a](#the-a)\n- [The b, in models](#the-b-in-models)\n" in text
    assert compose(sections(text)) == text


def test_options_of_a_benchmarks_own_door_are_the_arguments_of_its_tables(capsys: pytest.CaptureFixture[str]) -> None:
    def tables(device: str, *, seeds: int = 3, quick: bool = False, counts: tuple[int, ...] = (2,)) -> Iterator[str]:
        yield f"{device} {seeds} {quick} {counts}"

    benchmark = Benchmark(name="some", title="Some", minutes=1, tables=tables)
    benchmark.main([])
    benchmark.main(["--seeds", "5", "--quick", "--counts", "4", "8"])
    assert capsys.readouterr().out == "cpu 3 False (2,)\ncpu 5 True [4, 8]\n"


# What ships.


def test_each_benchmark_has_the_name_of_its_module() -> None:
    found = declared("benchmarks", "BENCHMARK")
    assert {"gate_step", "matching"} <= set(found)
    assert {name: module for name, (module, _) in found.items()} == {name: f"benchmarks.{name}" for name in found}


def test_the_report_that_ships_is_as_the_command_writes_it() -> None:
    text = report.README.read_text(encoding="utf-8")
    found = sections(text)
    assert compose(found) == text
    assert {name for name, _ in found} <= set(declared("benchmarks", "BENCHMARK"))


def test_a_table_with_a_row_too_short_is_an_error() -> None:
    with pytest.raises(ValueError, match="expected 2 cells"):
        list(Table(("a", "b"), [["1"]]).lines())
