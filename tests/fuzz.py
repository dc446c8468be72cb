"""Explore with the property tests and with mutated files until time is up: ``make fuzz MINUTES=10``.

Every round draws new examples. The first failure ends it; the output then says how to see that failure again.
"""

import argparse
import os
import secrets
import subprocess
import sys
import time

import pytest

UNTIL = "SOFTMERGE_FUZZ_UNTIL"  # seconds since the epoch
MARKED = "hypothesis or mutations"
OPTIONS = ("-m", MARKED, "--exitfirst", "--numprocesses", "auto", "--timeout", "1800", "-p", "tests.fuzz")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Start no test once time is up. (Called by pytest, to which this file is a plugin.)"""
    if time.time() > float(os.environ.get(UNTIL, "inf")):
        pytest.skip("time is up")


def explore(until: float) -> int:
    """Run rounds of the property tests until that time; returns the exit status of a round that failed, else 0."""
    environment = {"SOFTMERGE_MUTATIONS": "20000", **os.environ, "SOFTMERGE_EXAMPLES": "fresh", UNTIL: str(until)}
    rounds = 0
    while time.time() < until:
        rounds += 1
        seed = secrets.randbits(32)
        print(f"round {rounds}, --hypothesis-seed={seed}", flush=True)
        command = [sys.executable, "-m", "pytest", *OPTIONS, f"--hypothesis-seed={seed}"]
        if status := subprocess.call(command, env={**environment, "SOFTMERGE_MUTATION_SEED": str(seed)}):
            print("To see it again: add the @reproduce_failure line above to the test and run the test")
            print(f"with SOFTMERGE_EXAMPLES=fresh, or run all of them with --hypothesis-seed={seed} as well.")
            print(
                f"Mutated files are the same again with SOFTMERGE_MUTATION_SEED={seed} and SOFTMERGE_MUTATIONS=20000."
            )
            return status
    print("no failure before time was up")
    return 0


def main() -> int:
    """Read the options and explore."""
    options = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    options.add_argument("--minutes", type=float, default=10.0)
    return explore(time.time() + 60 * options.parse_args().minutes)


if __name__ == "__main__":
    sys.exit(main())
