"""Small tools that the contracts share: a look at all of a network, a statement run in a fresh interpreter."""

import random
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
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


def shuffle_global_randomness() -> None:
    """Put all global random states where no seed that a member sets would put them: setting one again shows."""
    random.seed("nobody's seed")
    np.random.seed(3_141_592_653)  # noqa: NPY002
    torch.manual_seed(2_718_281_828)


def global_state() -> dict[str, Any]:
    """What all of a process shares, by its name, and what a careless function could change."""
    _, words, place, *_ = np.random.get_state()  # noqa: NPY002
    return {
        "the random state of Python": random.getstate(),
        "the random state of numpy": (words.tolist(), place),  # the place alone moves when a few are drawn
        "the random state of torch": torch.get_rng_state().tolist(),
        "torch's default type": torch.get_default_dtype(),
        "whether torch computes gradients": torch.is_grad_enabled(),
        "whether torch is deterministic": torch.are_deterministic_algorithms_enabled(),
        "numpy's errors": np.geterr(),
    }


def moved(before: dict[str, Any]) -> str:
    """The names of the parts of the global state that are no longer as ``before``, which they are put back to."""
    after = global_state()
    torch.set_default_dtype(before["torch's default type"])
    torch.set_grad_enabled(before["whether torch computes gradients"])
    torch.use_deterministic_algorithms(before["whether torch is deterministic"])
    np.seterr(**before["numpy's errors"])
    return ", ".join(name for name, value in before.items() if after[name] != value)
