"""The page "One step": its frames follow each other in the browser, and nothing moves."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.conftest import Site
from tests.browser.watching import at_rest

SHOWN = ".sm-step-frame[data-shown]"
# Where everything lies in the page, however far it is scrolled; what is folded away is laid out when it is opened.
PLACES = """() => {
  const {scrollTop} = document.querySelector("[data-testid=stMain]");
  return [...document.querySelectorAll("[data-testid=stMainBlockContainer] [data-testid=stElementContainer]")]
    .filter((each) => !each.closest("details"))
    .map((each) => each.getBoundingClientRect())
    .filter(({height}) => height)
    .map(({top, height}) => [top + scrollTop, height].map(Math.round));
}"""
# What the page tells the server from now on is counted.
COUNT = """() => {
  window.sent = 0;
  const { send } = WebSocket.prototype;
  WebSocket.prototype.send = function (...all) { window.sent += 1; return send.apply(this, all); };
}"""


def test_the_frames_follow_each_other_without_the_server_and_move_nothing(
    open_page: Callable[..., Page], site: Site
) -> None:
    errors: list[str] = []
    page = open_page(f"{site.address}/step", narrow=True)
    page.on("pageerror", lambda error: errors.append(str(error)))
    frame: Any = page.locator(SHOWN)
    expect(frame).to_contain_text("1. Draw the gates")
    page.evaluate(COUNT)
    before = at_rest(page, PLACES)
    for title in ("2. Make weights", "3. Mix", "4. Run it", "5. Add the penalty", "6. Ask", "7. Move the gates"):
        page.keyboard.press("ArrowRight") if title > "3" else page.get_by_role("button", name="Next").click()
        expect(frame).to_contain_text(title)
        assert page.evaluate(PLACES) == before
    expect(page.get_by_role("button", name="Next")).to_have_attribute("aria-disabled", "true")
    page.get_by_role("button", name="Play").click()  # from the end it begins again
    expect(frame).to_contain_text("1. Draw the gates")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    page.get_by_role("button", name="3: Mix the weights").click()
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    expect(frame).to_contain_text("3. Mix the weights")
    assert page.evaluate("window.sent") == 0
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= 390
    assert errors == []
