"""The README and the guide for contributors are true: commands exist, examples run, the table is the contract."""

import importlib.util
import json
import os
import re
import shlex
import tomllib
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

import softmerge_core
from softmerge_core.__main__ import main, parse
from softmerge_core.settings import SoftMergeSettings

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAPERS = {
    name: (ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "CONTRIBUTING.md", "docs/results.md")
}
COMMANDS = ("softmerge ", "python -m softmerge_core ")
pytestmark = pytest.mark.timeout(600)  # the examples import torch and merge: minutes on a busy machine


def blocks(text: str, language: str) -> list[str]:
    """The code blocks of a Markdown text in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


def lines(language: str = "sh") -> list[str]:
    """Every command of every block, without its comment."""
    code = [block for text in PAPERS.values() for block in blocks(text, language)]
    found = [line.partition("  #")[0].strip() for block in code for line in block.splitlines()]
    return [line for line in found if line and not line.startswith("#")]


def own(line: str) -> list[str]:
    """The arguments of one of this project's own commands, without what the shell does with its output."""
    for command in COMMANDS:
        if command in line:
            return shlex.split(line.partition(command)[2].partition(" > ")[0])
    return []


# The commands of the documents.


@pytest.mark.parametrize("line", [line for line in lines() if own(line)])
def test_every_command_is_one_that_the_parser_knows(line: str) -> None:
    """Parsed only: merging and training take minutes. The quick ones are run below."""
    parse(own(line))


def test_the_commands_in_the_text_are_known_too() -> None:
    code = re.findall(r"`((?:python -m softmerge_core|softmerge) [^`]+)`", "\n".join(PAPERS.values()))
    told = [own(text) for text in code]
    assert told
    for arguments in told:
        parse(arguments)


def test_the_examples_of_the_command_line_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Specs and lists are printed as the README says, and the merge is done, on two small networks in few steps."""
    monkeypatch.chdir(tmp_path)
    quick = [line for line in lines() if own(line) and (own(line)[0] == "spec" or own(line)[:2] == ["zoo", "list"])]
    assert len(quick) >= 3
    for line in quick:
        assert main(own(line)) == 0
        printed = json.loads(capsys.readouterr().out)
        if " > " in line:
            Path(line.rpartition(" > ")[2]).write_text(json.dumps(printed), encoding="utf-8")
    spec = json.loads(Path("spec.json").read_text(encoding="utf-8"))
    spec["settings"] = {**spec["settings"], "granularity": "model", "steps": 2}
    spec["sources"] = [{"model": f"moons-mlp-label-noise/source-{number}"} for number in (1, 2)]
    spec["data"] = {"dataset": "moons", "train_samples": 64}
    Path("spec.json").write_text(json.dumps(spec), encoding="utf-8")
    merging = next(line for line in lines() if own(line)[:1] == ["merge"])
    assert main(own(merging)) == 0
    assert {"accuracy", "gates", "reason"} <= set(json.loads(capsys.readouterr().out))
    assert (tmp_path / own(merging)[-1] / "result.json").is_file()


def test_modules_and_targets_that_are_named_exist() -> None:
    everything = "\n".join(PAPERS.values())
    modules = set(re.findall(r"python -m ([\w.]+)", everything)) - {"streamlit", "venv"}
    assert {"benchmarks.gate_step", "softmerge_core"} <= modules
    assert [name for name in modules if importlib.util.find_spec(name) is None] == []
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    asked = set(re.findall(r"(?:`|^)make (\w+)", everything, flags=re.MULTILINE))
    assert {"run", "test", "lock"} <= asked <= targets


def test_files_and_folders_that_are_named_exist() -> None:
    named = {
        os.path.normpath(Path(name).parent / path) if path.startswith("..") else path
        for name, text in PAPERS.items()
        for path in re.findall(r"[`(]((?:[\w.-]+/)*[\w.-]+(?:/|\.(?:py|md|txt|toml|lock|yaml|png|webp)))[`)]", text)
    }
    assert len(named) > 40
    inside = ("page.py", "figures/", "runs/", "__init__.py", "load_merged.py")  # of the room the sentence speaks of
    assert sorted(path for path in named if path not in inside and not there(ROOT / path)) == []


def there(path: Path) -> bool:
    """Whether a file is there, or a folder with more in it than what Python has compiled."""
    return path.is_file() or any(part.is_file() and "__pycache__" not in part.parts for part in path.rglob("*"))


# The examples for notebooks.


def test_the_examples_for_notebooks_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """With two small networks that ship, few samples, and fewer steps than are taken without being asked."""
    monkeypatch.setattr(softmerge_core, "SoftMergeSettings", partial(SoftMergeSettings, steps=20))
    names = some_sources()
    for block in blocks(README, "python"):
        exec(compile(block, "README.md", "exec"), names)
    result = names["result"]
    assert result.reason
    assert result.model is not names["sources"][0]
    assert names["merged"](names["x_valid"][:2]).shape == (2, 3)


def some_sources() -> dict[str, Any]:
    from softmerge_core.data import load_dataset
    from softmerge_core.zoo import load_base, load_family

    family, data = "spirals-mlp-shared-trunk", load_dataset("spirals")
    return {
        "sources": load_family(family).sources[:2],
        "ancestor": load_base(family),
        **dict(zip(("x_train", "y_train"), (part[:64] for part in data.split("train")), strict=True)),
        **dict(zip(("x_valid", "y_valid"), (part[:64] for part in data.split("validation")), strict=True)),
    }


# The house.


def contract(name: str) -> list[set[str]]:
    """The layers of a contract of import-linter, from the top, as dotted names."""
    tool = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    found = next(item for item in tool["contracts"] if item["id"] == name)
    (container,) = found["containers"]
    return [{f"{container}.{room.strip()}" for room in re.split(r"[|:]", layer)} for layer in found["layers"]]


def test_the_table_of_floors_is_what_the_linter_enforces() -> None:
    pages = [layer for layer in contract("pages") if layer != {"pages.shared"}]
    expected = [{"app"}, *pages, *contract("shared"), *contract("engine")]
    rows = re.findall(r"^\| (\d+) \| (`.*?`) \|", README, flags=re.MULTILINE)
    floors = [(int(number), dotted(rooms)) for number, rooms in rows]
    drawn = [set().union(*(rooms for _, rooms in same)) for _, same in groupby(floors, key=lambda floor: floor[0])]
    told, held = set().union(*drawn), set().union(*expected)
    assert told == held, f"the README's table of floors lacks {held - told}, and pyproject.toml {told - held}"
    assert drawn == expected
    assert [number for number, _ in groupby(floors, key=lambda floor: floor[0])] == list(range(len(expected), 0, -1))


def dotted(rooms: str) -> set[str]:
    return {name.removesuffix(".py").strip("/").replace("/", ".") for name in re.findall(r"`(.+?)`", rooms)}
