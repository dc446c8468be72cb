"""A run as a film: every moment is what the log told last, however the log is damaged."""

from pathlib import Path
from typing import Any

import pytest

from softmerge_core.events import Boundary, Evaluation, Event, Gates, Loss, Points, Progress, Stage
from softmerge_core.figures.gates import last_gates
from softmerge_core.runs import RunStore
from softmerge_core.runs.film import Film


def stage(step: int, name: str) -> Stage:
    return Stage(step=step, stage=name, title=f"{name} gates", parts=("p",), sources=("a", "b"), groups=("p",))


def gates(step: int, name: str, first: float) -> Gates:
    return Gates(step=step, stage=name, probability=((first, 0.5),), value=((first, 0.5),))


def boundary(step: int) -> Boundary:
    return Boundary(step=step, series="soft", extent=(0, 1, 0, 1), size=2, classes=(0, 1, 1, step))


def loss(step: int) -> Loss:
    return Loss(step=step, series="soft", task=1.0, total=1.0)


def evaluation(step: int, series: str) -> Evaluation:
    return Evaluation(step=step, series=series, split="validation", accuracy=0.5, loss=1.0)


TOLD: list[Event] = [
    Points(step=0, x=(0.0,), y=(1.0,), labels=(1,)),
    stage(0, "model"),
    gates(0, "model", 0.9),
    loss(1),
    boundary(5),
    gates(5, "model", 0.7),
    Progress(step=5, total=10),
    stage(5, "layer"),
    gates(6, "layer", 0.2),
]


def written(folder: Path, events: list[Event], *more: bytes) -> Path:
    path = folder / "events.jsonl"
    path.write_bytes(b"".join(event.model_dump_json().encode() + b"\n" for event in events) + b"".join(more))
    return path


def test_every_moment_has_its_stage_its_gates_and_the_decisions_of_these(tmp_path: Path) -> None:
    film = Film(written(tmp_path, TOLD))
    assert film.steps == [0, 5, 6]
    assert film.at(0) == [TOLD[0], TOLD[1], TOLD[2]]
    assert film.at(1) == [TOLD[0], TOLD[1], TOLD[3], TOLD[4], TOLD[5]]
    assert film.at(2) == [TOLD[0], TOLD[3], TOLD[7], TOLD[8]]  # the decisions were those of other gates
    assert film.gates(1) == (TOLD[1], TOLD[5])


def test_the_newest_losses_and_evaluations_of_each_network_belong_to_a_moment(tmp_path: Path) -> None:
    told = [evaluation(0, "average"), evaluation(0, "soft"), loss(1), loss(4), evaluation(5, "soft")]
    film = Film(written(tmp_path, [stage(0, "model"), *told, gates(5, "model", 0.5), evaluation(9, "soft"), loss(9)]))
    assert film.at(0) == [stage(0, "model"), told[0], told[3], told[4], gates(5, "model", 0.5)]


def test_what_is_written_later_is_read_on(tmp_path: Path) -> None:
    path = written(tmp_path, TOLD[:3])
    film = Film(path)
    line = gates(7, "model", 0.1).model_dump_json().encode()
    for more, steps in ((b"", [0]), (line[:40], [0]), (line[40:], [0]), (b"\n" + line[:9], [0, 7])):
        with path.open("ab") as file:
            file.write(more)
        film.read_on()
        assert film.steps == steps
    assert film.gates(1) == (TOLD[1], gates(7, "model", 0.1))
    path.write_bytes(b"")  # what never happens: the film stays as it was
    film.read_on()
    assert film.steps == [0, 7]


def test_of_several_moments_at_one_step_the_last_counts(tmp_path: Path) -> None:
    film = Film(written(tmp_path, [*TOLD, gates(6, "layer", 0.1)]))
    assert film.steps == [0, 5, 6]
    assert film.gates(2) == (TOLD[7], gates(6, "layer", 0.1))


def test_what_is_damaged_or_not_yet_whole_is_left_out(tmp_path: Path) -> None:
    noise: tuple[bytes, ...] = (
        b"garbage\n",
        b'{"step":7,"seconds":0.0,"kind":"gates","sta\n',
        b'{"step":8,"seconds":0.0,"kind":"gates"',
    )
    film = Film(written(tmp_path, TOLD, *noise))
    assert film.steps == [0, 5, 6, 7]
    assert film.gates(3) is None
    assert film.gates(2) == (TOLD[7], TOLD[8])


@pytest.mark.parametrize("content", [None, b"", b"\n\n", b"\xff" * 100])
def test_a_run_without_moments_is_an_empty_film(tmp_path: Path, content: Any) -> None:
    path = tmp_path / "events.jsonl"
    if content is not None:
        path.write_bytes(content)
    assert Film(path).moments == []


def test_the_last_moment_of_a_real_run_is_its_newest() -> None:
    store = RunStore()
    film = Film(store.folder("example:first-look") / "events.jsonl")
    assert film.gates(len(film.moments) - 1) == last_gates(store.read("example:first-look").events)
    assert film.steps == sorted(film.steps)
