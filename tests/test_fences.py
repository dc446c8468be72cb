"""Rooms import only what they may: the engine knows no screen, and a page need not wait for torch."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ALLOWED = {
    "streamlit": ("app.py", "pages/"),
    "plotly": ("pages/", "softmerge_core/figures/"),
    "distributed": ("softmerge_core/runs/",),
}


def imported(path: Path) -> set[str]:
    """The packages a file imports, anywhere in it; Dask goes by the name of its scheduler."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        if isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return {"distributed" if name == "dask" else name for name in names}


def sources() -> list[Path]:
    return [ROOT / "app.py", *(ROOT / "pages").rglob("*.py"), *(ROOT / "softmerge_core").rglob("*.py")]


@pytest.mark.parametrize("package", ALLOWED)
def test_each_library_stays_in_its_rooms(package: str) -> None:
    users = [path.relative_to(ROOT).as_posix() for path in sources() if package in imported(path)]
    strangers = [user for user in users if not user.startswith(ALLOWED[package])]
    assert users, f"nobody imports {package}"
    assert strangers == []


def loaded_after(statement: str) -> set[str]:
    code = f"import sys\n{statement}\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_the_engine_loads_no_screen_and_no_scheduler() -> None:
    loaded = loaded_after("import softmerge_core; from softmerge_core import soft_merge, MergeData, MergeResult")
    assert not loaded & {"streamlit", "plotly", "dask", "distributed"}
    assert "torch" in loaded


def test_what_a_page_needs_does_not_load_torch() -> None:
    loaded = loaded_after(
        "import softmerge_core.experiments.merge.spec, softmerge_core.experiments.train.spec, "
        "softmerge_core.runs.store, softmerge_core.runs.runner, softmerge_core.figures.gates, softmerge_core.zoo\n"
        "assert softmerge_core.zoo.families()"
    )
    assert "torch" not in loaded


def test_the_function_is_not_hidden_by_a_module_of_its_name() -> None:
    code = "import softmerge_core.merging.soft; from softmerge_core import soft_merge; assert callable(soft_merge)"
    assert loaded_after(code)


def test_files_stay_short_and_functions_too() -> None:
    long_files = [path.name for path in sources() if len(path.read_text(encoding="utf-8").splitlines()) > 300]
    functions = [
        f"{path.name}:{node.name}"
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and (node.end_lineno or 0) - node.lineno > 60
    ]
    assert (long_files, functions) == ([], [])
