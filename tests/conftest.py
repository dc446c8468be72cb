"""Every test has a home folder of its own, so that none touches the user's runs and models.

Property tests draw the same examples on every run, whatever the machine, its load or the order of the tests.
With ``SOFTMERGE_EXAMPLES=fresh`` in the environment, as ``make fuzz`` has it, they draw new ones, and more of them.
"""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.warm import warm

os.environ.setdefault("OMP_NUM_THREADS", "1")  # as in the workers; before torch, so that processes do not fight

# No deadline and no check of slowness: both ask the clock. The home folder may serve all examples of a test.
UNTIMED = settings(
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.register_profile("same", UNTIMED, derandomize=True)
settings.register_profile("fresh", UNTIMED, derandomize=False, max_examples=1000, print_blob=True)
EXAMPLES = os.environ.get("SOFTMERGE_EXAMPLES", "same")
settings.load_profile(EXAMPLES)
if EXAMPLES == "same":
    with contextlib.suppress(ImportError):  # these are Hypothesis's own parts, which another version may not have
        from hypothesis.internal.conjecture.providers import HypothesisProvider
        from hypothesis.internal.constants_ast import Constants

        # It also draws numbers that it reads in the modules imported so far, which depend on the tests before.
        HypothesisProvider._local_constants = Constants()


def pytest_xdist_auto_num_workers() -> int:
    """One process for each core: each collects all tests anew, which takes longer than what the tests wait for."""
    return os.cpu_count() or 1


@pytest.fixture(autouse=True)
def home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the isolated home, which does not exist yet."""
    folder = tmp_path / "home"
    monkeypatch.setenv("SOFTMERGE_HOME", str(folder))
    return folder


@pytest.fixture(scope="session")
def warm_program() -> Iterator[str]:
    """Return the program whose processes have torch loaded; one for all tests that take it."""
    with warm() as program:
        yield program


@pytest.fixture
def warm_python(warm_program: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Let children begin with torch loaded: for tests of what a child does, not of how its process begins."""
    monkeypatch.setattr(sys, "executable", warm_program)
    return warm_program
