"""The wheel has everything the app and the command line need, and both run from it, far from the repository."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import tomllib
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_string
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")

pytestmark = pytest.mark.timeout(600)  # each starts processes that import much: minutes on a busy machine


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy, so that the build leaves nothing in the repository."""
    copy = tmp_path_factory.mktemp("source")
    for room in ("pages", "softmerge_core", ".streamlit"):
        shutil.copytree(ROOT / room, copy / room, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("app.py", "pyproject.toml", "setup.py", "requirements.txt", "README.md", "LICENSE"):
        shutil.copyfile(ROOT / name, copy / name)
    code = "from setuptools.build_meta import build_wheel; build_wheel('dist')"
    done = subprocess.run([sys.executable, "-c", code], cwd=copy, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return next((copy / "dist").glob("softmerge-*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what pip installs of the wheel."""
    target = tmp_path_factory.mktemp("installed")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-compile"]
    subprocess.run([*command, "--target", str(target), str(wheel)], check=True, capture_output=True)
    return target


def environment(installed: Path, home: Path) -> dict[str, str]:
    values = {"PYTHONPATH": str(installed), "SOFTMERGE_HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"}
    return {**os.environ, **values, "OMP_NUM_THREADS": "1"}


def test_every_file_of_the_rooms_is_in_the_wheel(wheel: Path) -> None:
    inside = set(zipfile.ZipFile(wheel).namelist())
    wanted = {
        path.relative_to(ROOT).as_posix()
        for room in ("pages", "softmerge_core")
        for path in (ROOT / room).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert wanted - inside == set()
    assert {"softmerge_app/app.py", "softmerge_app/.streamlit/config.toml"} <= inside
    rooms = {name.partition("/")[0] for name in inside}
    assert {room for room in rooms if not room.endswith(".dist-info")} == {"pages", "softmerge_app", "softmerge_core"}
    assert [name for name in inside if name.endswith("setup.py") and name.startswith("softmerge_app")] == []


def test_the_wheel_says_what_requirements_say(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    metadata = next(name for name in archive.namelist() if name.endswith("/METADATA"))
    told = message_from_string(archive.read(metadata).decode()).get_all("Requires-Dist") or []
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert told == [line for line in lines if line and not line.startswith("#")]
    assert any(name.endswith("/licenses/LICENSE") for name in archive.namelist())


def test_the_installed_command_prints_a_spec(installed: Path, tmp_path: Path) -> None:
    command = [sys.executable, str(installed / "bin" / "softmerge"), "spec", "--kind", "train"]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment(installed, tmp_path), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert '"kind": "train"' in done.stdout


def test_the_installed_app_starts_anywhere_and_writes_nothing_beside_its_code(installed: Path, tmp_path: Path) -> None:
    """Not even in a folder with other pages: they are not taken for the app's."""
    before = sorted(installed.rglob("*"))
    folder = tmp_path / "elsewhere"
    (folder / "pages").mkdir(parents=True)
    (folder / "pages" / "__init__.py").write_text("raise ImportError('another project')\n", encoding="utf-8")
    with served(installed, folder, tmp_path / "home") as (address, log):
        with urllib.request.urlopen(f"{address}/app/static/{plotly_name()}", timeout=10) as answer:
            assert answer.read(100).startswith(b"/**")
        told = log.read_text()
        assert "usage statistics" not in told  # so .streamlit/config.toml was read
        assert "only this machine can open it" in told
        assert "URL: http://localhost:" in told
    assert sorted(installed.rglob("*")) == before


def plotly_name() -> str:
    from pages.shared.show.plotly_script import NAME

    return NAME


@contextmanager
def served(installed: Path, folder: Path, home: Path) -> Iterator[tuple[str, Path]]:
    """Run ``softmerge app`` in ``folder``; gives its address, once it is healthy, and its log."""
    home.mkdir()
    log = home / "server.log"
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    command = [sys.executable, str(installed / "bin" / "softmerge"), "app"]
    command += ["--server.port", str(port)]  # by default it listens on this machine
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=folder, env=environment(installed, home), stdout=output, stderr=subprocess.STDOUT
        )
    address = f"http://127.0.0.1:{port}"
    try:
        while not healthy(address):
            assert process.poll() is None, log.read_text()
            time.sleep(0.1)
        yield address, log
    finally:
        process.terminate()
        process.wait(30)


def healthy(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/_stcore/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def test_the_command_of_the_package_is_the_command_line() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["scripts"] == {"softmerge": "softmerge_core.__main__:main"}


def pins() -> dict[str, list[str]]:
    """The locked versions of each package, by its name; some have one for each version of Python."""
    found: dict[str, list[str]] = {}
    for name, version in re.findall(r"^([\w.-]+)==([\w.!+]+)", LOCK, flags=re.MULTILINE):
        found.setdefault(canonicalize_name(name), []).append(version)
    return found


def test_the_lock_fits_the_requirements() -> None:
    """After a change to the requirements, ``make lock`` writes it anew."""
    lines = [
        line
        for name in ("requirements.txt", "requirements-test.txt")
        for line in (ROOT / name).read_text(encoding="utf-8").splitlines()
        if line and not line.startswith(("#", "-r "))
    ]
    wanted, locked = [Requirement(line) for line in lines], pins()
    assert len(wanted) > 20
    for requirement in wanted:
        versions = locked.get(canonicalize_name(requirement.name), [])
        assert versions, f"{requirement.name} is not locked"
        assert all(requirement.specifier.contains(version) for version in versions), requirement


def test_every_locked_package_has_hashes_and_no_address() -> None:
    assert "://" not in LOCK
    packages = re.split(r"^(?=[\w.-]+==)", LOCK, flags=re.MULTILINE)[1:]
    assert [package.splitlines()[0] for package in packages if "--hash=sha256:" not in package] == []


def test_the_checks_before_a_commit_are_tools_of_the_tests() -> None:
    """They run what the tests' requirements install, and nothing is fetched for them."""
    text = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    assert re.findall(r"repo: (.*)", text) == ["local"]
    tools = re.findall(r"entry: \.venv/bin/([\w-]+)", text)
    assert tools == ["ruff", "ruff", "lint-imports", "mypy"]
    installed = {script.name for script in entry_points(group="console_scripts")} | {"ruff"}  # a program of its own
    assert set(tools) <= installed
