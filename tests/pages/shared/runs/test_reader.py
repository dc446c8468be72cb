"""Following a run piece by piece comes to the same as reading it at once."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pages.shared.runs.reader import RunReader, open_run
from softmerge_core.events import Boundary, Evaluation, Event, Gates, Loss, Points, Progress, Stage
from softmerge_core.experiments.merge.spec import example
from softmerge_core.figures.accuracy import accuracy_figure
from softmerge_core.figures.boundary import boundary_figure
from softmerge_core.figures.gates import gates_figure
from softmerge_core.figures.losses import losses_figure
from softmerge_core.runs import RunStore
from softmerge_core.runs.writer import RunWriter


def a_run(steps: int = 12) -> list[Event]:
    """Two stages, with everything a merge tells."""
    told: list[Event] = [Points(step=0, x=(0.0, 1.0), y=(0.0, 1.0), labels=(0, 1))]
    for step in range(steps):
        if step % 6 == 0:
            name = f"stage{step}"
            told.append(Stage(step=step, stage=name, title=name, parts=("a", "b"), sources=("x", "y")))
        share = step / steps
        told += [
            Loss(step=step, series="soft", task=1 - share, penalty=0.1, total=1.1 - share),
            Gates(step=step, stage=name, probability=((share, 1), (0.5, 0.5)), value=((share, 1), (0, 0.5))),
            Progress(step=step, total=steps),
            Evaluation(step=step, series="soft", split="validation", accuracy=share, loss=1),
            Boundary(step=step, series="soft", extent=(0, 1, 0, 1), size=2, classes=(0, 1, step % 2, 0)),
        ]
    return told


def test_pictures_from_piecewise_reading_are_those_of_all_events() -> None:
    store, told = RunStore(), a_run()
    run_id = store.create(example())
    with RunWriter(store.folder(run_id)) as writer:
        reader = RunReader(store, run_id)
        for event in told:
            writer.emit(event)
            reader.poll()
    for build in (accuracy_figure, losses_figure, gates_figure, boundary_figure):
        assert build(reader.events, theme="light") == build(told, theme="light")  # type: ignore[operator]


def test_only_the_newest_of_what_is_replaced_is_kept() -> None:
    store = RunStore()
    run_id = store.create(example())
    with RunWriter(store.folder(run_id)) as writer:
        for event in a_run(48):
            writer.emit(event)
    events = RunReader(store, run_id).events
    assert sum(isinstance(event, Gates) for event in events) == 8  # one a stage
    assert sum(isinstance(event, Boundary) for event in events) == 1
    assert sum(isinstance(event, Loss) for event in events) == 48


def test_a_picture_is_built_again_only_when_it_has_to_be() -> None:
    store = RunStore()
    run_id = store.create(example())
    built: list[int] = []
    with RunWriter(store.folder(run_id)) as writer:
        reader = RunReader(store, run_id)

        def draw(theme: str = "light") -> None:
            reader.poll()
            reader.drawn("losses", ("loss",), theme, lambda: built.append(1))

        draw()
        draw()
        assert len(built) == 1
        writer.emit(Loss(step=1, series="soft", task=1, total=1))
        draw()
        writer.emit(Evaluation(step=1, series="soft", split="validation", accuracy=1, loss=1))
        draw()
        assert len(built) == 2
        draw("dark")
        assert len(built) == 3


def test_a_run_is_left_once_nothing_more_is_asked_of_it() -> None:
    store = RunStore()
    reader = RunReader(store, store.create(example()))
    looks: list[Callable[[], object]] = [
        reader.poll,
        lambda: reader.drawn("losses", ("loss",), "light", lambda: "picture"),
        lambda: reader.once("words", lambda: "words"),
    ]
    assert not reader.left()  # it was just opened
    for look in looks:
        assert reader.left()
        look()
        assert not reader.left()


def test_a_live_picture_rests_and_the_last_one_is_never_missed() -> None:
    store = RunStore()
    run_id = store.create(example())
    built: list[int] = []
    with RunWriter(store.folder(run_id)) as writer:
        reader = RunReader(store, run_id)
        for step in range(5):
            writer.emit(Loss(step=step, series="soft", task=1, total=1))
            reader.poll()
            reader.drawn("losses", ("loss",), "light", lambda: built.append(1), pause=1000)
        assert len(built) == 1
    reader.poll()  # the writer is gone: the run is no longer live
    reader.drawn("losses", ("loss",), "light", lambda: built.append(1), pause=1000)
    assert len(built) == 2


def test_a_picture_is_built_at_once_on_a_machine_that_has_just_booted(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr("pages.shared.runs.reader.time.monotonic", lambda: clock[0])
    store = RunStore()
    run_id = store.create(example())
    built: list[float] = []
    with RunWriter(store.folder(run_id)) as writer:
        reader = RunReader(store, run_id)
        for step in range(3):  # at 0 s, 4 s and 8 s after the boot
            writer.emit(Loss(step=step, series="soft", task=1, total=1))
            reader.poll()
            reader.drawn("losses", ("loss",), "light", lambda: built.append(clock[0]), pause=5)
            clock[0] += 4
    assert built == [0, 8]


def test_what_is_made_of_a_run_is_made_again_only_when_more_of_it_was_read() -> None:
    store = RunStore()
    run_id = store.create(example())
    with RunWriter(store.folder(run_id)) as writer:
        reader = RunReader(store, run_id)
        made: list[int] = []

        def make() -> int:
            made.append(len(reader.events))
            return made[-1]

        for step in (1, 2):
            writer.emit(Loss(step=step, series="soft", task=1, total=1))
            reader.poll()
            assert [reader.once("words", make), reader.once("words", make)] == [step, step]
        assert made == [1, 2]
    reader.poll()  # the writer is gone: the status is another
    reader.once("words", make)
    assert made == [1, 2, 2]


def test_a_picture_in_another_theme_leaves_the_first_as_it_is() -> None:
    store = RunStore()
    reader = RunReader(store, store.create(example()))
    made: list[str] = []
    for theme in ("light", "dark", "light"):
        reader.drawn("gates", (), theme, lambda theme=theme: made.append(theme))  # type: ignore[misc]
    assert made == ["light", "dark"]


def test_events_that_no_picture_needs_are_not_kept() -> None:
    reader = RunReader(RunStore(), "example:first-look")
    assert reader.view.events == ()
    assert sum(event.kind == "gates" for event in reader.events) == len(
        {event.stage for event in reader.events if isinstance(event, Gates)}
    )


def test_all_sessions_share_the_reader_of_an_example_but_not_of_a_run(tmp_path: Path) -> None:
    store = RunStore()
    run_id, recorded = store.create(example()), store.examples()[0].id
    assert open_run(store, recorded) is open_run(RunStore(tmp_path / "others"), recorded)
    assert open_run(store, run_id) is not open_run(store, run_id)
