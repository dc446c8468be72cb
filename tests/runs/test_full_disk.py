"""A full or read-only disk: every door says so in words, and nothing half-made is left."""

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from softmerge_core.errors import RunError
from softmerge_core.runs import Runner, files
from softmerge_core.runs import store as store_module
from softmerge_core.runs.writer import conduct
from tests.runs.counting import CountingSpec


def failing(error: int) -> Callable[..., Any]:
    def fail(*_: Any, **__: Any) -> None:
        raise OSError(error, os.strerror(error))

    return fail


def tree(root: Path) -> list[tuple[str, bytes]]:
    """Every file and folder below, with its content."""
    return sorted((str(path), path.read_bytes() if path.is_file() else b"") for path in root.rglob("*"))


DOORS: dict[str, Callable[[Runner, str, str], object]] = {
    "submit": lambda runner, waiting, ended: runner.submit(CountingSpec()),
    "submit again": lambda runner, waiting, ended: runner.submit(CountingSpec(trouble="error"), ended),
    "pause": lambda runner, waiting, ended: runner.pause(waiting),
    "resume": lambda runner, waiting, ended: runner.resume(waiting),
    "resume a failed one": lambda runner, waiting, ended: runner.resume(ended),
    "stop": lambda runner, waiting, ended: runner.stop(waiting),
    "delete": lambda runner, waiting, ended: runner.store.delete(ended),
    "request": lambda runner, waiting, ended: runner.store.request(waiting, "pause"),
    "write": lambda runner, waiting, ended: conduct(runner.store.folder(waiting)),
}


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EROFS, errno.EDQUOT])
@pytest.mark.parametrize("door", DOORS)
def test_every_door_says_what_the_disk_says_and_leaves_nothing_half_made(
    runner: Runner, monkeypatch: pytest.MonkeyPatch, door: str, error: int
) -> None:
    waiting = runner.submit(CountingSpec())
    ended = runner.store.create(CountingSpec(trouble="error"))
    conduct(runner.store.folder(ended))
    before = tree(runner.store.root)
    for module in (files, store_module):
        monkeypatch.setattr(module, "write_atomic", failing(error))
    monkeypatch.setattr(Path, "rename", failing(error))
    with pytest.raises(RunError, match=os.strerror(error)) as refused:
        DOORS[door](runner, waiting, ended)
    assert str(runner.store.root) not in str(refused.value)
    lock = str(runner.store.folder(waiting) / files.LOCK)
    assert [each for each in tree(runner.store.root) if each[0] != lock] == before
    assert runner.store.status(waiting).status == "waiting"
    assert runner.store.status(ended).status == "failed"


def test_a_run_that_cannot_be_queued_is_not_left(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    write = files.write_atomic

    def full(path: Path, *rest: Any, **options: Any) -> None:
        if path.name == files.QUEUE:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(path, *rest, **options)

    monkeypatch.setattr(files, "write_atomic", full)
    with pytest.raises(RunError, match="No space left"):
        runner.submit(CountingSpec())
    assert list(runner.store.root.iterdir()) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
@pytest.mark.parametrize("door", DOORS)
def test_a_folder_that_may_not_be_written_is_told(runner: Runner, door: str) -> None:
    waiting = runner.submit(CountingSpec())
    ended = runner.store.create(CountingSpec(trouble="error"))
    conduct(runner.store.folder(ended))
    places = (runner.store.root, runner.store.folder(waiting), runner.store.folder(ended))
    for place in places:
        place.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        with pytest.raises(RunError, match="Permission denied"):
            DOORS[door](runner, waiting, ended)
    finally:
        for place in places:
            place.chmod(stat.S_IRWXU)
