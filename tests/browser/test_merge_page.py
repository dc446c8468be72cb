"""The Merge page in a real browser, from the first press to the verdict, with real workers."""

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from softmerge_core.runs import RunStore
from tests.browser.conftest import ROOT, serve, wait_for

pytestmark = pytest.mark.browser
Open = Callable[..., Page]
SLOW = "steps=3000&granularity=Channel"  # long enough to watch, reload and steer
GATES = ".st-key-picture-gates .sm-plot"
BEGUN = re.compile("left|Finished")
# What an earlier run came to goes when another begins; the pictures that are live must stay.
WATCH = """() => {
  window.removed = 0;
  new MutationObserver((changes) => {
    for (const change of changes) for (const node of change.removedNodes)
      if (node.nodeType === 1 && !change.target.closest('.st-key-outcome-slot')
          && (node.matches('.sm-plot') || node.querySelector('.sm-plot'))) window.removed += 1;
  }).observe(document.body, { childList: true, subtree: true });
}"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, RunStore]]:
    """The app with an empty home of its own, and its store."""
    home = tmp_path_factory.mktemp("home")
    with serve(ROOT / "app.py", home) as address:
        yield address, RunStore(home / "runs")


def start(page: Page) -> None:
    """Press the button; the first worker may still be starting."""
    page.get_by_role("button", name="Start merging").click()
    page.wait_for_url(lambda url: "run=" in url and "example" not in url)
    expect(page.get_by_test_id("stProgress")).to_contain_text(BEGUN, timeout=40_000)
    page.locator(f"{GATES}[data-drawn]").wait_for()


def finish(page: Page) -> None:
    """Stop the run, so that the next test has a free worker."""
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Start merging")).to_be_enabled()


def updates(page: Page) -> int:
    return int(page.locator(GATES).get_attribute("data-updates") or 0)


def pace(page: Page) -> float:
    """Drawings of the gates a second, over two seconds."""
    before, begun = updates(page), time.monotonic()
    page.wait_for_timeout(2000)
    return (updates(page) - before) / (time.monotonic() - begun)


def progress(page: Page) -> str:
    return page.get_by_test_id("stProgress").inner_text()


def query(page: Page) -> dict[str, str]:
    from urllib.parse import parse_qsl, urlsplit

    return dict(parse_qsl(urlsplit(page.url).query))


def status(store: RunStore, page: Page) -> str:
    return store.status(query(page)["run"]).status


def test_one_press_and_the_gates_move(server: tuple[str, RunStore], open_page: Open) -> None:
    address, store = server
    page = open_page(f"{address}/?{SLOW}")
    page.locator(f"{GATES}[data-drawn]").wait_for()
    page.evaluate(WATCH)
    start(page)
    expect(page.locator(".st-key-picture-gates")).to_contain_text("sources")
    page.locator(".st-key-picture-accuracy .sm-plot[data-drawn]").wait_for()
    page.locator(".st-key-picture-losses .sm-plot[data-drawn]").wait_for()
    rate = max(pace(page) for _ in range(3))  # other tests may take the processor for a while
    print(f"\n{rate:.1f} updates a second")
    assert rate >= 2
    assert page.evaluate("window.removed") == 0
    assert "left" in progress(page)
    finish(page)
    assert status(store, page) == "stopped"


def test_a_zoom_survives_while_data_come_in(server: tuple[str, RunStore], open_page: Open) -> None:
    page = open_page(f"{server[0]}/?{SLOW}")
    start(page)
    plot = page.locator(".st-key-picture-accuracy .sm-plot")
    page.locator(".st-key-picture-accuracy .sm-plot[data-drawn]").wait_for()
    box = plot.locator(".nsewdrag").first.bounding_box()
    assert box
    page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 0.2 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + 0.7 * box["height"], steps=5)
    page.mouse.up()
    zoomed = ranges(page)
    before = int(plot.get_attribute("data-updates") or 0)
    wait_for(lambda: int(plot.get_attribute("data-updates") or 0) >= before + 4, 20, "four more updates")
    assert ranges(page) == zoomed
    finish(page)
    assert ranges(page) == zoomed


def ranges(page: Page) -> Any:
    script = """() => { const layout = document.querySelector('.st-key-picture-accuracy .js-plotly-plot')._fullLayout;
      return [...layout.xaxis.range, ...layout.yaxis.range].map((edge) => Math.round(edge * 1000)); }"""
    return page.evaluate(script)


def test_pause_resume_and_stop(server: tuple[str, RunStore], open_page: Open) -> None:
    address, store = server
    page = open_page(f"{address}/?{SLOW}")
    start(page)
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_test_id("stProgress")).to_contain_text("Paused")
    assert status(store, page) == "paused"
    page.wait_for_timeout(500)
    held = updates(page)
    page.wait_for_timeout(1500)
    assert updates(page) - held <= 8  # redrawn, but nothing new
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_test_id("stProgress")).to_contain_text("left")
    assert status(store, page) == "running"
    finish(page)
    expect(page.get_by_test_id("stProgress")).to_contain_text("Stopped")
    expect(page.locator(".st-key-verdict")).to_contain_text("Soft merging is")
    expect(page.get_by_role("button", name="Resume")).to_be_enabled()


def test_a_reload_and_a_second_tab_show_the_same_live_run(server: tuple[str, RunStore], open_page: Open) -> None:
    address, store = server
    page = open_page(f"{address}/?{SLOW}")
    start(page)
    run_id = query(page)["run"]
    page.reload()
    page.locator(f"{GATES}[data-drawn]").wait_for()
    assert query(page)["run"] == run_id
    assert query(page)["steps"] == "3000"
    second = open_page(address)  # without its name: the newest live run is found
    second.locator(f"{GATES}[data-drawn]").wait_for()
    assert query(second)["run"] == run_id
    seen = updates(second)
    wait_for(lambda: updates(second) > seen, 15, "the second tab to follow")
    second.get_by_role("button", name="Stop").click()
    expect(page.get_by_test_id("stProgress")).to_contain_text("Stopped")
    assert len([run for run in store.list() if run.id == run_id]) == 1


def test_a_toy_shows_its_decisions_and_the_run_ends_with_a_verdict(
    server: tuple[str, RunStore], open_page: Open
) -> None:
    address, store = server
    page = open_page(f"{address}/?family=Spirals+MLP,+shared+trunk&steps=60&granularity=Layer")
    start(page)
    page.locator(".st-key-picture-boundary .sm-plot[data-drawn]").wait_for()
    expect(page.locator(".st-key-verdict")).to_contain_text("Soft merging is")
    expect(page.locator(".sm-table")).to_contain_text("Plain average")
    with page.expect_download() as download:
        page.get_by_role("button", name="Merged weights").click()
    assert Path(download.value.path()).read_bytes() == store.weights(query(page)["run"], "merged").read_bytes()


def test_clicking_a_cell_tells_its_gate(server: tuple[str, RunStore], open_page: Open) -> None:
    page = open_page(f"{server[0]}/?family=Spirals+MLP,+shared+trunk&steps=20&granularity=Layer")
    start(page)
    expect(page.locator(".st-key-verdict")).to_contain_text("Soft merging is")
    box = page.locator(f"{GATES} .nsewdrag").first.bounding_box()
    assert box
    page.mouse.click(box["x"] + 0.1 * box["width"], box["y"] + 0.1 * box["height"])
    expect(page.get_by_text("hidden1 from source-1: P(open) =")).to_be_visible()


def test_a_source_with_nan_is_told_and_the_page_goes_on(server: tuple[str, RunStore], open_page: Open) -> None:
    address, store = server
    page = open_page(f"{address}/?family=Spirals+MLP,+shared+trunk&steps=20&granularity=Layer")
    page.locator("[class*=st-key-card-]").first.get_by_test_id("stPopover").get_by_role("button").click()
    page.get_by_text("NaN", exact=True).click()
    expect(page.locator("[class*=st-key-card-]").first).to_contain_text("Poisoned: NaN")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Start merging").click()
    expect(page.get_by_test_id("stAlert")).to_contain_text("NaN or Inf", timeout=40_000)
    expect(page.locator(f"{GATES}[data-drawn]")).to_have_count(0)  # nothing of the run shown before is left
    expect(page.get_by_role("button", name="Start merging")).to_be_enabled()
    page.wait_for_url(lambda url: "run=" in url and "example" not in url)
    assert status(store, page) == "failed"


def test_a_narrow_screen_needs_no_sideways_scrolling(server: tuple[str, RunStore], open_page: Open) -> None:
    page = open_page(server[0], narrow=True, theme="dark")
    page.locator(f"{GATES}[data-drawn]").wait_for()
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= 390
    button = page.get_by_role("button", name="Start merging").bounding_box()
    assert button
    assert button["y"] + button["height"] <= 844  # within the first screen


def test_a_visit_in_the_dark_meets_no_error(server: tuple[str, RunStore], open_page: Open) -> None:
    page = open_page(server[0], theme="dark")
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.reload()
    page.locator(f"{GATES}[data-drawn]").wait_for()
    assert problems == []
    assert page.get_by_test_id("stException").count() == 0
