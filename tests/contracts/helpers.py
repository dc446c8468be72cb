"""Small tools that the contracts share: a look at all of a network, a statement run in a fresh interpreter."""

import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from torch import nn

from softmerge_core.checkpoints.files import state_hash

ROOT = Path(__file__).parents[2]


def loaded_after(statement: str) -> set[str]:
    """The modules that an interpreter has loaded after ``statement``."""
    code = f"import sys\n{statement}\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"`{statement}` failed: {done.stderr.strip().splitlines()[-1:]}"
    return set(done.stdout.split())


def look(networks: Iterable[nn.Module]) -> list[tuple[Any, ...]]:
    """Everything of networks that a careless function could change."""
    return [
        (state_hash(n.state_dict()), n.training, [(p.requires_grad, p.grad is None) for p in n.parameters()])
        for n in networks
    ]


def same_bits(first: nn.Module, second: nn.Module) -> bool:
    """Whether two networks have the same state, bit for bit."""
    return state_hash(first.state_dict()) == state_hash(second.state_dict())


def is_sentence(text: str) -> bool:
    """Whether a text opens with a capital or a sign and ends with a full stop."""
    return bool(text.strip()) and not text[0].islower() and text.endswith(".")


@contextmanager
def refusal(error: type[Exception], words: str, who: str) -> Iterator[None]:
    """Expect ``error`` with ``words`` (a pattern) in its message; else fail with a sentence about ``who``."""
    try:
        yield
    except Exception as caught:
        right = isinstance(caught, error) and re.search(words, str(caught), re.DOTALL)
        said = f"{type(caught).__name__}: {caught}"
        assert right, f"{who} must be refused by a {error.__name__} with {words!r} in it, got {said}"
    else:
        raise AssertionError(f"{who} must be refused by a {error.__name__}, but nothing was raised")
