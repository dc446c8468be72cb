"""The gates of a deep network on the Merge page: blocks are opened by mouse and keyboard, and stay open."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from softmerge_core.events import Gates, Progress, Stage
from softmerge_core.experiments.merge.spec import example
from softmerge_core.runs.writer import RunWriter
from tests.browser.conftest import Site
from tests.browser.server import wait_for
from tests.browser.watching import removed, wait_updates, watch

GATES = ".st-key-picture-gates .sm-plot"
NAMES = tuple(f"layer{block}.{unit}.conv{place}" for block in (1, 2, 3) for unit in range(4) for place in (1, 2))


def labels(page: Page) -> Any:
    """The names beside the rows, as they are drawn."""
    return page.evaluate(f"[...document.querySelectorAll('{GATES} .ytick text')].map((each) => each.textContent)")


def tell(writer: RunWriter, step: int) -> None:
    value = tuple((step / 100, 1 - step / 100) for _ in NAMES)
    writer.emit(Gates(step=step, stage="layer", probability=value, value=value))
    writer.emit(Progress(step=step, total=100, least=10.0, most=20.0))


def test_blocks_are_opened_and_stay_open_while_new_gates_come(site: Site, open_page: Callable[..., Page]) -> None:
    run_id = site.store.create(example())
    with RunWriter(site.store.folder(run_id)) as writer:
        writer.emit(Stage(step=0, stage="layer", title="Layer", parts=NAMES, sources=("a", "b")))
        tell(writer, 1)
        page = open_page(f"{site.address}/?run={run_id}", settled=False)
        page.locator(f"{GATES}[data-drawn]").wait_for()
        assert labels(page) == ["▸ layer1", "▸ layer2", "▸ layer3"]
        expect(page.get_by_test_id("stProgress")).to_contain_text("10 to 20\u00a0s left")
        watch(page)
        area = page.locator(f"{GATES} .nsewdrag").first.bounding_box()
        assert area
        page.mouse.click(area["x"] + 20, area["y"] + area["height"] / 2)  # the middle one of three rows
        wait_for(lambda: "▾ layer2" in labels(page), "the block to open")
        assert len(labels(page)) == 3 + 8
        tell(writer, 2)
        wait_updates(page.locator(GATES), 1)
        assert "▾ layer2" in labels(page)
        page.locator(GATES).focus()
        for _ in range(9):
            page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowUp")
        for _ in range(12):
            page.keyboard.press("ArrowUp")
        page.keyboard.press("Enter")  # the first row
        wait_for(lambda: "▾ layer1" in labels(page), "the first block to open by keyboard")
        page.get_by_role("textbox", name="Find layers by name").fill("3.conv2")
        page.keyboard.press("Enter")
        wait_for(lambda: len(labels(page)) == 3 + 3, "the layers that have the name")
        tell(writer, 3)
        assert removed(page) == 0
        writer.end("stopped")
