"""A picture says what it will show before a run, what it shows during one, and why it is missing after one."""

from typing import Any

import plotly.graph_objects as go
import pytest

from pages.shared.runs import picture as pictures
from pages.shared.runs.picture import NEVER, Picture
from pages.shared.runs.reader import RunReader
from pages.shared.show import picture as shown
from pages.shared.show.live_plot import LivePlotResult
from softmerge_core.events import Evaluation, Loss
from softmerge_core.experiments.merge.spec import example
from softmerge_core.runs import RunStore
from softmerge_core.runs.writer import RunWriter


class Page:
    """Stands for the page: keeps the sentences and the charts that were drawn."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sentences: list[str] = []
        self.charts: list[dict[str, Any]] = []
        monkeypatch.setattr(shown.st, "markdown", lambda text, help: self.sentences.append(text))
        monkeypatch.setattr(pictures, "current_theme", lambda: "light")
        monkeypatch.setattr(shown, "live_plot", self._plot)

    def _plot(self, figure: go.Figure | None, **options: Any) -> LivePlotResult:
        self.charts.append({"figure": figure, **options})
        return LivePlotResult(None, fresh=False)


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Page:
    return Page(monkeypatch)


def losses(reader: RunReader, theme: str, **chosen: Any) -> go.Figure | None:
    steps = [event.step for event in reader.events if isinstance(event, Loss)]
    return go.Figure(layout={"title": {"text": f"{theme} {chosen} {steps}"}}) if steps else None


LOSS = Picture(
    key="loss", title="Loss", idle="The loss.", kinds=("loss",), build=losses, words=lambda reader: "It falls.",
    height=300,
)  # fmt: skip


def test_before_the_first_run_the_place_is_there_and_says_what_will_be_shown(page: Page) -> None:
    LOSS.draw(None)
    assert page.sentences == ["**Loss.** The loss."]
    (chart,) = page.charts
    assert (chart["figure"], chart["key"], chart["height"], chart["alt"]) == (None, "loss-plot", 300, "Loss: The loss.")


def test_a_live_run_is_drawn_again_when_its_events_come_and_only_then(page: Page) -> None:
    store = RunStore()
    run_id = store.create(example())
    with RunWriter(store.folder(run_id)) as writer:
        reader = RunReader(store, run_id)
        LOSS.draw(reader)
        other = Evaluation(step=1, series="soft", split="test", accuracy=1, loss=1)
        for event in (Loss(step=1, series="soft", task=1, total=1), other):
            writer.emit(event)
            reader.poll()
            LOSS.draw(reader)
        assert page.sentences == ["**Loss.** It falls."] * 3
        empty, first, same = (chart["figure"] for chart in page.charts)
        assert empty is None
        assert first is same
        assert first.figure().layout.title.text == "light {} [1]"


def test_what_the_reader_chose_reaches_the_figure_and_gives_each_choice_its_own(page: Page) -> None:
    store = RunStore()
    run_id = store.create(example())
    with RunWriter(store.folder(run_id)) as writer:
        writer.emit(Loss(step=1, series="soft", task=1, total=1))
        reader = RunReader(store, run_id)
        for side in ("left", "right", "left"):
            LOSS.draw(reader, side=side, height=200)
    left, right, again = page.charts
    assert "{'side': 'left'}" in left["figure"].figure().layout.title.text
    assert "{'side': 'right'}" in right["figure"].figure().layout.title.text
    assert again["figure"] is left["figure"]
    assert left["height"] == 200


@pytest.mark.parametrize(("missing", "sentence"), [(NEVER, NEVER), ("", "It falls.")])
def test_a_run_that_ended_without_the_picture_says_so(page: Page, missing: str, sentence: str) -> None:
    store = RunStore()
    run_id = store.create(example())
    with RunWriter(store.folder(run_id)):
        pass
    Picture(**{**vars(LOSS), "missing": missing}).draw(RunReader(store, run_id))
    assert page.sentences == [f"**Loss.** {sentence}"]
