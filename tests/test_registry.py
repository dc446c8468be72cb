"""The one registry: finds what a package defines, and names what it knows."""

import importlib
import pkgutil
import sys
from pathlib import Path

import pytest

from softmerge_core.errors import NotFoundError, SoftMergeError
from softmerge_core.experiments import experiment, experiments, parse_spec
from softmerge_core.registry import declared, discover, lookup


def test_every_module_with_the_constant_is_found() -> None:
    assert {"merge", "train"} <= set(experiments())
    assert all(name == member.name for name, member in experiments().items())


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(NotFoundError, match=r"unknown experiment 'sing'.*merge.*train"):
        experiment("sing")
    with pytest.raises(NotFoundError, match="unknown fruit 'x'; expected one of: none"):
        lookup({}, "x", "fruit")


def test_a_spec_without_a_kind_is_refused() -> None:
    with pytest.raises(NotFoundError):
        parse_spec({})


# The modules of each package that are no members but help them.
HELPERS = {
    ("softmerge_core.methods", "METHOD"): {"base", "modules", "shared"},
    ("softmerge_core.attacks", "ATTACK"): {"base"},
    ("softmerge_core.data", "DATASET"): {
        "arrays", "base", "checker", "files", "forms", "importing", "kept", "limits", "order", "partitions", "picking",
        "pictures", "prepare", "preview", "scaling",
    },
    ("softmerge_core.networks", "NETWORK"): {"base", "registration", "teller", "torchvision"},
    ("softmerge_core.federated.algorithms", "ALGORITHM"): {"base"},
    ("softmerge_core.experiments", "EXPERIMENT"): {
        "admission", "aligning", "base", "behind", "beside", "cost", "describe", "differences", "glance", "kinds",
        "loading", "made", "outcome", "samples", "scoring", "sweeping", "tables", "tasks", "words",
    },
}  # fmt: skip


@pytest.mark.parametrize(("package", "constant"), HELPERS)
def test_every_file_of_a_kind_defines_a_member(package: str, constant: str) -> None:
    found = {info.name for info in pkgutil.iter_modules(importlib.import_module(package).__path__)}
    for name in sorted(found - HELPERS[package, constant]):
        there = hasattr(importlib.import_module(f"{package}.{name}"), constant)
        assert there, f"{package}.{name} defines no {constant}: it adds nothing; name it so, or list it in HELPERS"


@pytest.fixture
def fruits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty package called "fruits"."""
    folder = tmp_path / "fruits"
    folder.mkdir()
    (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.partition(".")[0] == "fruits"]:
        monkeypatch.delitem(sys.modules, name)
    return folder


def test_what_is_declared_is_read_without_importing(fruits: Path) -> None:
    (fruits / "pear.py").write_text(
        'raise RuntimeError\nFRUIT: Fruit = Fruit(name="pear", takes={"sun": 1}, grow=grow)\n'
    )
    (fruits / "tools.py").write_text("raise RuntimeError\n")
    assert declared("fruits", "FRUIT") == {"pear": ("fruits.pear", {"name": "pear", "takes": {"sun": 1}})}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (
            'FRUIT = Fruit(name="pear", takes=dict(sun=1))',
            r"'takes' written out as a literal, got dict\(sun=1\)",
        ),
        ('FRUIT = Fruit("pear")', "expected keyword arguments only"),
        ("FRUIT = Fruit(name=NAME)", "among them name="),
        ("FRUIT = PEAR", "expected one call"),
    ],
)
def test_what_cannot_be_read_is_named(fruits: Path, line: str, words: str) -> None:
    (fruits / "pear.py").write_text(f"{line}\n")
    with pytest.raises(SoftMergeError, match=f"fruits.pear: FRUIT: .*{words}"):
        declared("fruits", "FRUIT")


def test_a_module_that_does_not_name_the_constant_is_not_imported(fruits: Path) -> None:
    (fruits / "pear.py").write_text('from types import SimpleNamespace as Fruit\nFRUIT = Fruit(name="pear")\n')
    (fruits / "tools.py").write_text("raise RuntimeError\n")
    assert list(discover("fruits", "FRUIT")) == ["pear"]


def test_two_of_one_name_are_refused(fruits: Path) -> None:
    line = 'from types import SimpleNamespace as Fruit\nFRUIT = Fruit(name="pear")\n'
    (fruits / "one.py").write_text(line)
    (fruits / "two.py").write_text(line)
    for find in (declared, discover):
        with pytest.raises(SoftMergeError, match=r"fruits.two: the name 'pear' is taken by fruits.one"):
            find("fruits", "FRUIT")
