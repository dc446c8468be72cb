"""A merge as one page of HTML: opened from the disk with the network off, it plays."""

from pathlib import Path

from playwright.sync_api import Browser, expect

from softmerge_core.export.replay.page import replay_page
from softmerge_core.runs.store import EXAMPLES
from tests.browser.server import PATIENCE, wait_for


def test_the_page_plays_from_the_disk_with_the_network_off(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "merge.html"
    path.write_text(replay_page(EXAMPLES / "first-look").html, encoding="utf-8")
    context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme="dark")
    context.set_default_timeout(1000 * PATIENCE)
    context.set_offline(True)
    page, complaints, asked = context.new_page(), list[str](), list[str]()
    page.on("console", lambda told: complaints.append(told.text) if told.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.as_uri())
    drawn = page.locator("body[data-drawn]")
    expect(drawn).to_have_attribute("data-drawn", "0")
    expect(page.locator(".js-plotly-plot")).to_have_count(4)
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(14, 17, 23)"
    rows = "document.querySelector('.js-plotly-plot').data[0].y.length"
    before = page.evaluate(rows)
    page.keyboard.press("ArrowRight")
    expect(drawn).to_have_attribute("data-drawn", "1")
    page.keyboard.press("End")
    expect(page.locator("#step")).to_have_text("Step 675 of 675")
    wait_for(lambda: page.evaluate(rows) > before, "the gates of channels")
    expect(page.locator("#told")).to_contain_text("channel gates, refined")
    page.get_by_label("Speed").select_option("fast")
    page.get_by_role("button", name="Play").click()  # from the beginning again
    wait_for(lambda: 1 < int(drawn.get_attribute("data-drawn") or 0) < 27, "the film to run")
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    assert complaints == []
    assert [url for url in asked if not url.startswith(("file:", "blob:", "data:"))] == []
    context.close()
