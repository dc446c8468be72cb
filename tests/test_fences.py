"""The fences between rooms hold: import-linter keeps the floors, and these tests what it cannot see."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.timeout(600)  # each starts processes that import much: minutes on a busy machine
LONGEST_FILE = 300
LONGEST_FUNCTION = 40
STILL_LONGER = {"softmerge_core/zoo/library.py:add_to_library"}  # a record of many fields, each named twice


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter on the copy of the project in ``folder``, as ``make lint`` runs it here."""
    code = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    command = [sys.executable, "-c", code, "--no-cache", "--no-logo"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A scratch copy of the sources and of the contracts."""
    python_only = shutil.ignore_patterns("__pycache__", "families", "examples", "arrays", "static")
    for room in ("pages", "softmerge_core"):
        shutil.copytree(ROOT / room, tmp_path / room, ignore=python_only)
    shutil.copyfile(ROOT / "pyproject.toml", tmp_path / "pyproject.toml")
    return tmp_path


def append(path: Path, text: str) -> None:
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")


def test_every_contract_holds(copy: Path) -> None:
    done = lint(copy)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_low_file_that_imports_a_page_inside_a_function_is_refused(copy: Path) -> None:
    append(copy / "softmerge_core" / "numbers.py", "\n\ndef peek() -> None:\n    import pages.site  # noqa\n")
    done = lint(copy)
    assert done.returncode == 1, done.stdout
    assert "softmerge_core.numbers -> pages.site" in done.stdout


def test_a_low_file_that_imports_a_higher_room_is_refused(copy: Path) -> None:
    append(copy / "softmerge_core" / "numbers.py", "\n\nimport softmerge_core.runs  # noqa\n")
    done = lint(copy)
    assert done.returncode == 1, done.stdout
    assert "softmerge_core.numbers is not allowed to import softmerge_core.runs" in done.stdout


def test_a_new_room_must_be_given_its_floor(copy: Path) -> None:
    (copy / "softmerge_core" / "attic.py").write_text('"""Nobody said where this belongs."""\n', encoding="utf-8")
    done = lint(copy)
    assert done.returncode == 1, done.stdout
    assert "softmerge_core.attic" in done.stdout


def test_libraries_stay_in_their_rooms(copy: Path) -> None:
    append(copy / "softmerge_core" / "numbers.py", "\n\nimport distributed, plotly, streamlit  # noqa\n")
    done = lint(copy)
    assert done.returncode == 1, done.stdout
    for name in ("Only pages import Streamlit", "Only figures and pages import Plotly", "Only runs imports Dask"):
        assert f"{name} BROKEN" in done.stdout


def loaded_after(statement: str) -> set[str]:
    """The names of all modules that are loaded after ``statement`` in a fresh process."""
    code = f"import sys\n{statement}\nprint(*sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    return set(done.stdout.splitlines()[-1].split())


def test_importing_the_engine_loads_no_screen_and_no_scheduler() -> None:
    """Nor is the function ``soft_merge`` hidden by a module, whichever is imported first."""
    loaded = loaded_after(
        "import softmerge_core.merging.soft; from softmerge_core import soft_merge, MergeData, MergeResult\n"
        "assert callable(soft_merge)"
    )
    assert not loaded & {"streamlit", "plotly", "dask", "distributed"}
    assert "torch" in loaded


def module_names(pattern: str) -> list[str]:
    """The names of the modules whose files match ``pattern``."""
    paths = (path.relative_to(ROOT).with_suffix("") for path in ROOT.glob(pattern))
    return sorted(".".join(path.parts).removesuffix(".__init__") for path in paths)


def test_no_page_loads_torch() -> None:
    light = module_names("pages/**/*.py")
    assert "pages.site" in light
    assert "torch" not in loaded_after(f"import {', '.join(light)}")


def test_what_pages_need_of_the_engine_does_not_load_torch() -> None:
    light = [
        *module_names("softmerge_core/experiments/*/__init__.py"),
        *module_names("softmerge_core/experiments/*/spec.py"),
        *module_names("softmerge_core/experiments/**/words.py"),
        *module_names("softmerge_core/figures/*.py"),
        "softmerge_core.runs.store",
        "softmerge_core.runs.runner",
        "softmerge_core.zoo",
    ]
    statement = (
        f"import {', '.join(light)}\n"
        "assert softmerge_core.zoo.families()\n"
        "assert softmerge_core.experiments.experiments()"
    )
    assert "torch" not in loaded_after(statement)


def sources() -> list[Path]:
    return [ROOT / "app.py", *(ROOT / "pages").rglob("*.py"), *(ROOT / "softmerge_core").rglob("*.py")]


def imported(path: Path) -> set[str]:
    """The modules that a file may import by name, with those whose names it takes out of them."""
    nodes = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.ImportFrom)]
    return {f"{node.module}{end}" for node in nodes for end in ("", *(f".{alias.name}" for alias in node.names))}


def test_what_pages_share_is_used_by_more_than_one_of_them() -> None:
    """What one page alone uses belongs into its own folder."""
    users: dict[str, set[str]] = {}
    for path in (path for path in sources() if path.is_relative_to(ROOT / "pages") or path.name == "app.py"):
        room = path.relative_to(ROOT / "pages").parts[0] if path.name != "app.py" else "app"
        for module in imported(path):
            users.setdefault(module, set()).add(room)
    for path in (ROOT / "pages" / "shared").rglob("*.py"):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        if path.name != "__init__.py":
            assert users.get(module, set()) & {"shared", "app"} or len(users.get(module, set())) > 1, module


def test_files_stay_short() -> None:
    lines = {path.name: len(path.read_text(encoding="utf-8").splitlines()) for path in sources()}
    assert {name: count for name, count in lines.items() if count > LONGEST_FILE} == {}


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """The number of lines of a function without its docstring, which may be as long as its reader needs."""
    text = function.body[0] if ast.get_docstring(function) else None
    spared = (text.end_lineno or 0) - text.lineno + 1 if text else 0
    return (function.end_lineno or 0) - function.lineno + 1 - spared


def test_functions_stay_short() -> None:
    lines = {
        f"{path.relative_to(ROOT).as_posix()}:{node.name}": length(node)
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    }
    assert {name for name, count in lines.items() if count > LONGEST_FUNCTION} <= STILL_LONGER
