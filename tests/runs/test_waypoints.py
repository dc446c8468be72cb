"""Snapshots on the way: few, spread over all of it, and handed over with the log that leads to them."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softmerge_core.runs import files, waypoints

FEWER = settings(max_examples=settings().max_examples // 4)  # each writes many files


@FEWER
@given(st.integers(1, 70), st.sampled_from([1, waypoints.ROOM // 4]))
def test_so_many_are_kept_that_all_of_the_way_is_covered(tmp_path: Path, count: int, size: int) -> None:
    place = tmp_path / f"{count}-{size}"
    place.mkdir(exist_ok=True)
    (place / waypoints.FOLDER).mkdir(exist_ok=True)
    for step in range(count):
        waypoints.keep(place, 10 * step, b"x", step) if size == 1 else _keep_large(place, 10 * step, size)
    kept = waypoints.steps(place)
    assert kept[-1] == 10 * (count - 1)  # the newest is always there
    assert len(kept) <= (waypoints.MOST if size == 1 else 4)
    gaps = [after - before for before, after in pairwise(kept)]
    assert kept[0] <= max(gaps, default=0)


def _keep_large(place: Path, step: int, size: int) -> None:
    """Keep one that says to be large, without the bytes."""

    class Large(bytes):
        def __len__(self) -> int:
            return size

    waypoints.keep(place, step, Large(b"x"), 0)


def test_the_first_at_a_step_stays(tmp_path: Path) -> None:
    waypoints.keep(tmp_path, 5, b"first", 1)
    waypoints.keep(tmp_path, 5, b"second", 1)
    assert list(waypoints.newest_first(tmp_path)) == [b"first"]


@pytest.mark.parametrize(
    ("step", "log", "kept"), [(4, None, []), (5, b"one\n", [b"a"]), (9, b"one\ntwo\n", [b"b", b"a"])]
)
def test_a_branch_gets_what_was_before_it(tmp_path: Path, step: int, log: bytes | None, kept: list[bytes]) -> None:
    parent, child = tmp_path / "parent", tmp_path / "child"
    parent.mkdir()
    child.mkdir()
    (parent / files.EVENTS).write_bytes(b"one\ntwo\nthree\n")
    waypoints.keep(parent, 5, b"a", 4)
    waypoints.keep(parent, 8, b"b", 8)
    waypoints.keep(parent, 12, b"c", 14)
    waypoints.hand_over(parent, child, step)
    assert list(waypoints.newest_first(child)) == kept
    assert ((child / files.EVENTS).read_bytes() if (child / files.EVENTS).exists() else None) == log


@pytest.mark.parametrize("damage", [b"", b"{}\nx", b'{"log": "far"}\nx', b"\xff\n", b'{"log": -3}\nx'])
def test_what_is_damaged_is_left_out(tmp_path: Path, damage: bytes) -> None:
    waypoints.keep(tmp_path, 5, b"a", 4)
    waypoints.keep(tmp_path, 8, b"b", 4)
    (tmp_path / waypoints.FOLDER / "8.bin").write_bytes(damage)
    (tmp_path / waypoints.FOLDER / "word.bin").write_bytes(b"")
    assert list(waypoints.newest_first(tmp_path)) == [b"a"]
