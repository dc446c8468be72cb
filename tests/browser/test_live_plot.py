"""The live plot updates in place: what the reader looks at, zoomed into or pointed to stays while data arrive."""

import ast
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.server import Server, visit, wait_for
from tests.browser.watching import removed, updates, wait_updates, watch
from tests.browser.windows import Windows

COLOURS = """() => {
  const layout = document.querySelector('.js-plotly-plot')._fullLayout;
  return [layout.paper_bgcolor, layout.font.color];
}"""
RANGE = "() => document.querySelector('.js-plotly-plot')._fullLayout.yaxis.range.map(Number)"
# For as many updates as told: how many frames were shown, and the most in a row without a label.
UNLABELLED = """(updates) => new Promise((resolve) => {
  const plot = document.querySelector('.sm-plot');
  const end = Number(plot.dataset.updates) + updates;
  let frames = 0, streak = 0, longest = 0;
  const frame = () => {
    frames += 1;
    streak = document.querySelector('.hoverlayer .hovertext') ? 0 : streak + 1;
    longest = Math.max(longest, streak);
    Number(plot.dataset.updates) < end ? requestAnimationFrame(frame) : resolve([longest, frames]);
  };
  requestAnimationFrame(frame);
})"""
MARK = "() => { document.querySelector('.js-plotly-plot').softmergeMark = 'the same node'; }"
MARKED = "() => document.querySelector('.js-plotly-plot').softmergeMark"
ROW = 44  # px: that of a finger's buttons, below a chart
PARTS = ".sm-plot, .js-plotly-plot, .svg-container, .main-svg"


def chart(page: Page) -> Locator:
    return page.get_by_role("figure", name="Gates of each part")


def wait_rows(page: Page, rows: list[float]) -> None:
    wait_for(lambda: page.evaluate(RANGE) == rows, f"rows {rows}")


def ticks(page: Page) -> int:
    """How often the server has sent a picture."""
    return int(page.get_by_text("ticks:").inner_text().partition(":")[2])


def clicks(page: Page) -> Any:
    """The (row, column) of every click that the server was told of."""
    return ast.literal_eval(page.get_by_text("clicks:").inner_text().partition(":")[2].strip())


def cell(page: Page, across: float, down: float) -> tuple[float, float]:
    """A point of the page: shares of the plot's width and height."""
    box = page.locator(".js-plotly-plot .nsewdrag").first.bounding_box()
    assert box
    return box["x"] + across * box["width"], box["y"] + down * box["height"]


@pytest.fixture(scope="module")
def live(servers: tuple[Server, Server, Path], windows: Windows) -> Iterator[Page]:
    """One window for all tests of the live page: each leaves it as it found it, or for the better."""
    page = visit(windows.take(), f"{servers[1].address}/live", settled=False)
    wait_for(lambda: updates(chart(page)) >= 2, "the first pictures")
    yield page
    windows.give_back(page)


def test_says_it_waits_before_the_first_data(demo: str, open_page: Callable[..., Page]) -> None:
    page = open_page(f"{demo}/live?wait=3600", settled=False)
    expect(chart(page).get_by_role("status")).to_have_text("Waiting for the first gates")
    expect(chart(page)).to_be_visible()
    assert updates(chart(page)) == 0
    box = chart(page).bounding_box()
    assert box
    assert box["height"] == 460  # the room is kept, so nothing jumps when the first picture comes


def test_keeps_its_nodes_while_data_arrive(live: Page) -> None:
    watch(live, PARTS)
    live.evaluate(MARK)
    wait_updates(chart(live), 8)
    assert removed(live) == 0
    assert live.evaluate(MARKED) == "the same node"


def test_zoom_survives_updates(live: Page) -> None:
    assert live.evaluate(RANGE) == [71.5, -0.5]
    x, top = cell(live, 0.5, 0.25)
    _, bottom = cell(live, 0.5, 0.6)
    live.mouse.move(x, top)
    live.mouse.down()
    live.mouse.move(x, (top + bottom) / 2, steps=4)
    held, sent = updates(chart(live)), ticks(live)
    wait_for(lambda: ticks(live) >= sent + 5, "five more pictures from the server")
    assert updates(chart(live)) <= held + 1  # one may have been under way: nothing is redrawn under a drag
    live.mouse.move(x, bottom, steps=4)
    live.mouse.up()
    wait_updates(chart(live), 2)
    zoomed = live.evaluate(RANGE)
    assert zoomed == pytest.approx([0.6 * 72 - 0.5, 0.25 * 72 - 0.5], abs=1)
    wait_updates(chart(live), 5)
    assert live.evaluate(RANGE) == zoomed
    live.mouse.dblclick(x, top)
    wait_rows(live, [71.5, -0.5])


def test_hover_label_survives_updates(live: Page) -> None:
    live.mouse.move(*cell(live, 0.3, 0.5))
    live.mouse.move(*cell(live, 0.31, 0.5), steps=3)
    expect(live.locator(".hoverlayer .hovertext")).to_contain_text("source 2")
    longest, frames = live.evaluate(UNLABELLED, 8)
    assert longest <= 1, f"the label was gone for {longest} of {frames} frames"


def test_the_bar_tells_one_kind_of_file_from_the_other(live: Page) -> None:
    assert chart(live).locator(".modebar-btn text").all_text_contents() == ["PNG", "SVG", "CSV"]
    with live.expect_download() as picture:
        chart(live).locator(".modebar-btn[data-title='Save as SVG']").dispatch_event("click")
    assert picture.value.suggested_filename == "gates.svg"


def test_a_click_arrives_once(live: Page) -> None:
    arrived = clicks(live)
    for (row, column), label in (((10, 0), "source 0"), ((71, 7), "source 7")):
        place = cell(live, (column + 0.4) / 8, (row + 0.5) / 72)
        live.mouse.move(*place)
        expect(live.locator(".hoverlayer .hovertext")).to_contain_text(label)  # a reader looks before the click
        live.mouse.click(*place)
        arrived = [*arrived, (row, column)]
        told = live.get_by_text("clicks:")
        expect(told).to_have_text(f"clicks: {arrived}")
        wait_updates(chart(live), 4)
        expect(told).to_have_text(f"clicks: {arrived}")


def test_the_keyboard_reads_the_cells_and_chooses_one(live: Page) -> None:
    chart(live).focus()
    told, frame = chart(live).locator(".sm-plot-told"), chart(live).locator(".sm-plot-cell")
    expect(told).to_contain_text("source 0, P(open) = ")
    live.keyboard.press("ArrowRight")
    live.keyboard.press("ArrowRight")
    expect(told).to_contain_text("source 2, P(open) = ")
    box = frame.bounding_box()
    assert box
    assert box["width"] > 20
    before = clicks(live)
    live.keyboard.press("Enter")
    wait_for(lambda: len(clicks(live)) > len(before), "the choice")
    assert clicks(live) == [*before, (0, 2)]
    live.keyboard.press("Tab")
    expect(told).to_have_text("")


def test_other_rows_take_the_same_place(live: Page) -> None:
    watch(live, PARTS)
    live.evaluate(MARK)
    for name, rows in (("Layers only", [2.5, -0.5]), ("Layers only", [71.5, -0.5])):
        live.get_by_text(name).click()
        wait_rows(live, rows)
        wait_updates(chart(live), 2)
        assert chart(live).get_attribute("data-failed") is None
    assert live.evaluate(MARKED) == "the same node"
    assert removed(live) == 0


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_fits_a_phone_in_both_themes(demo: str, open_page: Callable[..., Page], theme: Any) -> None:
    page = open_page(f"{demo}/live", theme=theme, narrow=True, settled=False)
    wait_for(lambda: updates(chart(page)) >= 1, "the first picture")
    box = page.locator(".js-plotly-plot .main-svg").first.bounding_box()
    assert box
    assert 0 <= box["x"] <= box["x"] + box["width"] <= 390
    paper, text = page.evaluate(COLOURS)
    bright = [sum(int(colour[at : at + 2], 16) for at in (1, 3, 5)) for colour in (paper, text)]
    assert (bright[0] > bright[1]) == (theme == "light")


def test_a_still_chart_follows_the_readers_change_of_theme(demo: str, open_page: Callable[..., Page]) -> None:
    page = open_page(f"{demo}/gallery")
    page.locator(".sm-plot[data-drawn]").first.wait_for()
    assert page.evaluate(COLOURS) == ["#ffffff", "#262730"]
    page.emulate_media(color_scheme="dark")
    wait_for(lambda: page.evaluate(COLOURS) == ["#0e1117", "#fafafa"], "the dark colours")


def test_a_finger_saves_a_picture_which_large_type_enlarges(demo: str, open_page: Callable[..., Page]) -> None:
    page = open_page(f"{demo}/live?large-type=true", narrow=True, settled=False)
    wait_for(lambda: updates(chart(page)) >= 1, "the first picture")
    box = chart(page).bounding_box()
    drawn = chart(page).locator(".js-plotly-plot .main-svg").first.bounding_box()
    assert box
    assert drawn
    assert box["height"] == 1.25 * 460 + ROW
    assert abs(drawn["width"] - box["width"]) < 2
    for button in chart(page).get_by_role("button").all():
        place = button.bounding_box()
        assert place
        assert place["y"] >= box["y"] + 1.25 * 460  # below the chart, over none of its text
    page.get_by_role("button", name="Save as PNG: Gates").wait_for()
    with page.expect_download() as picture:
        page.get_by_role("button", name="Save as SVG: Gates").click()
    assert picture.value.suggested_filename == "gates.svg"
    svg = picture.value.path().read_text()
    assert ' width="180.0mm"' in svg  # for print, whatever the window is
    assert "#0e1117" not in svg  # on white
    with page.expect_download() as table:
        page.get_by_role("button", name="Save as CSV: Gates").click()
    assert table.value.suggested_filename == "gates.csv"
    rows = table.value.path().read_text().splitlines()
    assert len(rows) == 1 + 72 * 8  # every gate, heads above
    page.keyboard.press("F2")
    wait_for(lambda: (chart(page).bounding_box() or {}).get("height") == 460 + ROW, "type of the usual size")
