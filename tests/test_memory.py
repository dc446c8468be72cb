"""The memory a merge needs: the formula, how it is written, and that too little is refused before any work."""

from types import SimpleNamespace

import psutil
import pytest
import torch

from softmerge_core import SoftMergeSettings, soft_merge
from softmerge_core.errors import ShortOfMemoryError
from softmerge_core.memory import HALF, check_memory, memory_text, merge_memory
from tests.networks_for_tests import make_data, make_sources


@pytest.fixture
def only(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """What the machine is said to have free; a test changes it."""
    memory = SimpleNamespace(available=0)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory)
    return memory


def test_the_formula() -> None:
    assert merge_memory(100, 16) == 4 * 100 * (16 + 5)
    assert merge_memory(100, 16, HALF) == 2 * 100 * 16 + 4 * 100 * 5
    assert merge_memory(100, 16, networks=3) == 4 * 100 * (16 + 5 + 3)


@pytest.mark.parametrize(
    ("size", "text"), [(10, "0.0 kB"), (2048, "2.0 kB"), (45 * 2**20, "45 MB"), (int(1.26 * 2**30), "1.3 GB")]
)
def test_bytes_in_words(size: int, text: str) -> None:
    assert memory_text(size).replace("\u00a0", " ") == text


def test_what_is_free_is_enough_and_a_byte_less_is_not(only: SimpleNamespace) -> None:
    only.available = 2**30
    check_memory(2**30, "this")
    with pytest.raises(ShortOfMemoryError, match=r"^this takes about 1\.0.GB of memory, and .* has 1\.0.GB free"):
        check_memory(2**30 + 1, "this")


@pytest.mark.parametrize("half", [False, True])
def test_a_merge_that_does_not_fit_is_refused_before_a_step(half: bool, only: SimpleNamespace) -> None:
    data, sources = make_data(), make_sources("perceptron", 3)
    parameters = sum(parameter.numel() for parameter in sources[0].parameters())
    needed = merge_memory(parameters, 3, HALF if half else 4)
    if half:
        sources = [source.bfloat16() for source in sources]
        data = make_data(dtype=torch.bfloat16)
    settings, told = SoftMergeSettings(granularity="model", steps=1), []
    only.available = needed - 1
    with pytest.raises(ShortOfMemoryError, match=rf"merging 3 sources of {parameters:,} parameters takes about"):
        soft_merge(sources, data, settings, on_event=told.append)
    assert not told
    only.available = needed
    assert soft_merge(sources, data, settings, on_event=told.append).stop_reason == "finished"
