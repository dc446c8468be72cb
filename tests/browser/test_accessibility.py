"""Every page can be read and used by everybody, as far as axe-core can tell: both themes, all that can be opened."""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from pages.shared.show.terms import TERMS
from pages.site import PAGES
from tests.browser.server import PATIENCE, READY, Server, glossary, visit, wait_for
from tests.browser.watching import at_rest

AXE = Path(str(axe_playwright_python.__file__)).with_name("axe.min.js")
# axe's "moderate" holds what is known of old: headings that skip a level
COUNTED = ("serious", "critical", "moderate")
# The insides of charts are thousands of nodes that axe would look at for long: their colours have tests of their own.
RUN = """async ([part, only]) => {
  const place = {include: [part], exclude: [".js-plotly-plot"]};
  const rules = only.length ? {runOnly: only} : {};
  const {violations} = await axe.run(place, {resultTypes: ["violations"], ...rules});
  return violations.map(({id, impact, nodes}) => ({id, impact, nodes: nodes.map((node) => node.html.slice(0, 200))}));
}"""
ALL: Sequence[str] = ()  # the rules
COLOURS = ("color-contrast",)  # what another theme can change; all other rules look at what both have alike
PHONE: ViewportSize = {"width": 390, "height": 844}  # px
WIDTHS = (360, 660, 900, 1024, 1200, 1440)  # px, some of which 200 % zoom leaves of a screen
LEAST = 300  # px that a picture needs to be read
SETTLED = 20.0  # seconds in which a page has surely taken a new width
# Pictures that are cramped, whatever is wider than the page, and buttons of a run that are out of reach, at this width.
CRAMPED = """(least) => {
  const main = document.querySelector("[data-testid=stMain]");
  const widths = [...document.querySelectorAll(".sm-plot")].map((plot) => plot.clientWidth);
  const buttons = document.querySelector("[class*=st-key-controls-]")?.getBoundingClientRect();
  const out = [];
  if (Math.min(...widths) < least) out.push(`pictures are ${widths} px wide`);
  if (main.scrollWidth > main.clientWidth) out.push(`the page is ${main.scrollWidth} px wide`);
  if (buttons && buttons.bottom > innerHeight) out.push("Start is below the fold");
  return out;
}"""
# The width inside a picture that is drawn, and the one that it had before.
ROOM = """() => {
  const plot = document.querySelector(".sm-plot[data-drawn]");
  const drawn = plot.clientWidth;
  delete plot.dataset.drawn;
  const waiting = plot.clientWidth;
  plot.dataset.drawn = "yes";
  return [drawn, waiting];
}"""
# What the switch for large type covers in the bar of the pages.
BESIDE = """() => {
  const names = [...document.querySelectorAll("header nav :is(a, button)")].filter((name) => name.clientWidth);
  const switched = document.querySelector(".st-key-site-type").getBoundingClientRect();
  if (names.length < 6 || switched.top > 60 || switched.right > innerWidth) return "no switch in the bar";
  return names.filter((name) => name.getBoundingClientRect().right > switched.left).map((name) => name.textContent);
}"""
# Colours change little by little, and axe must not look half way.
STILL = """() => document.getAnimations().every((one) => one.playState !== "running"
  || one.effect?.getTiming().iterations === Infinity)"""
# Nothing has run for half a second: a component that tells something as it is put up has the page drawn once more, and
# what has the focus then may lose it.
QUIET = """() => {
  const rests = document.querySelector("[data-testid=stApp]").dataset.testScriptState === "notRunning";
  window.quietSince = rests ? window.quietSince ?? performance.now() : undefined;
  return performance.now() - window.quietSince > 500;
}"""
# How long (s) each thing on the page takes to change its look.
MOTION = """() => [...document.querySelectorAll("body *")].map((one) => getComputedStyle(one)).flatMap((style) =>
  [style.transitionDuration, style.animationDuration].flatMap((times) => times.split(",").map(parseFloat)))"""
# What charts are made of follows at once: with a transition, however short, marks would be a frame behind their axes.
AT_ONCE = """() => [...document.querySelectorAll("svg *")].every(
  (one) => getComputedStyle(one).transitionDuration === "0s")"""
WITHOUT = (
    "classroom",
    "gate",
    "guide",
    "learn",
    "permutation",
    "runs",
    "step",
    "sweep",
)  # pages that begin without pictures
CLOSED = "[data-testid=stExpander] details:not([open])"
BODY = "[data-testid=stPopoverBody]"
FILLED = f"{BODY} :is(button, a, [data-testid=stCaptionContainer])"
BAD = """<html lang="en"><head><title>Bad</title></head><body><main><h1>Bad</h1><h3>Skips a level</h3><button></button>
<img src="x.png"><p style="color: #999; background: #fff">faint</p></main></body></html>"""


def faults(page: Page, part: str = "body", only: Sequence[str] = ALL) -> list[Any]:
    """What axe finds in a part of the page that somebody could not read or use, by all rules or ``only`` by some."""
    return [found for found in page.evaluate(RUN, [part, only]) if found["impact"] in COUNTED]


@pytest.fixture(scope="module")
def window(browser: Browser) -> Iterator[Page]:
    """One window, in which every page brings axe along."""
    context = browser.new_context(viewport={"width": WIDTHS[-1], "height": 900}, color_scheme="light")
    context.set_default_timeout(1000 * PATIENCE)
    context.add_init_script(path=AXE)
    yield context.new_page()
    context.close()


@pytest.fixture(scope="module", params=PAGES)
def shown(servers: tuple[Server, Server, Path], window: Page, request: pytest.FixtureRequest) -> Page:
    """Each page, opened once for all tests of it: to draw its pictures takes longer than to look at them."""
    window.emulate_media(color_scheme="light")
    window.set_viewport_size({"width": WIDTHS[-1], "height": 900})
    page = visit(window, f"{servers[0].address}/{request.param}")
    expect(page).to_have_title(f"{PAGES[request.param][1]} · Soft Merge")
    if request.param in WITHOUT:
        page.locator(READY).wait_for()
    else:
        page.locator(".sm-plot[data-drawn]").first.wait_for()
    return page


def open_all(page: Page) -> None:
    """Open every expander."""
    page.locator(f"{CLOSED} > summary").evaluate_all("(all) => all.forEach((summary) => summary.click())")
    expect(page.locator(CLOSED)).to_have_count(0)
    page.locator(READY).wait_for()
    page.wait_for_function(STILL)


def popovers(page: Page) -> Iterator[str]:
    """Open the first popover of each kind, one after the other, and tell its name."""
    for label in ("Poison", "Earlier runs", "Vary", "What they do"):
        # each is there twice, one for broad and one for narrow screens
        button = page.get_by_test_id("stPopoverButton").filter(has_text=label, visible=True).first
        if button.count() and button.is_enabled():
            button.click()
            page.locator(FILLED).first.wait_for()  # from here on the server knows that it is open
            page.locator(READY).wait_for()
            yield label
            page.keyboard.press("Escape")
            expect(page.locator(BODY)).to_have_count(0)


def in_theme(page: Page, theme: Any) -> None:
    """Change to a theme, as the reader's own device may at any time, and wait until the page has followed."""
    page.emulate_media(color_scheme=theme)
    expect(page.get_by_test_id("stApp")).to_have_css("color-scheme", theme)
    page.locator(READY).wait_for()
    page.wait_for_function(STILL)


def settle(page: Page) -> list[str]:
    """What is cramped once the page has taken a new width, as charts do in their own time."""
    with contextlib.suppress(TimeoutError):
        wait_for(lambda: not page.evaluate(CRAMPED, LEAST), "pictures of the new width", SETTLED)
    return list(page.evaluate(CRAMPED, LEAST))


def kept_out(page: Page, theme: str, only: Sequence[str]) -> dict[str, list[Any]]:
    """What axe finds in the page and, by all rules, in its popovers; by the name of these, "" of the page."""
    in_theme(page, theme)
    open_all(page)
    found = {"": faults(page, only=only)}
    if only == ALL:
        found |= {name: faults(page, BODY) for name in popovers(page)}
    return {name: those for name, those in found.items() if those}


@pytest.mark.parametrize(("theme", "only"), [("light", ALL), ("dark", COLOURS)])
def test_nothing_keeps_a_reader_out(shown: Page, theme: str, only: Sequence[str]) -> None:
    assert kept_out(shown, theme, only) == {}


def test_a_picture_is_as_wide_before_it_is_drawn(shown: Page) -> None:
    if not shown.locator(".sm-plot[data-drawn]").count():
        pytest.skip("this page begins without pictures")
    drawn, waiting = shown.evaluate(ROOM)
    assert drawn == waiting  # else every picture would be drawn twice


def test_every_width_has_room_for_the_pictures(shown: Page) -> None:
    for width in reversed(WIDTHS):
        shown.set_viewport_size({"width": width, "height": 900})
        assert (width, settle(shown)) == (width, [])


@pytest.mark.parametrize(("theme", "only"), [("dark", ALL), ("light", COLOURS)])
def test_nothing_keeps_a_reader_with_a_phone_out(shown: Page, theme: str, only: Sequence[str]) -> None:
    shown.set_viewport_size(PHONE)
    assert settle(shown) == []
    assert kept_out(shown, theme, only) == {}


def test_the_keyboard_skips_to_the_run_and_reads_the_values_and_the_words_of_a_picture(
    servers: tuple[Server, Server, Path], window: Page
) -> None:
    window.set_viewport_size({"width": WIDTHS[0], "height": 900})  # one below the other, so that the last is far away
    page = visit(window, f"{servers[0].address}/merge?run=example:first-look")
    plot = page.locator(".st-key-picture-origin .sm-plot, .st-key-picture-shares .sm-plot").first
    values = plot.get_by_role("button", name="Values as a table")
    values.wait_for()
    page.wait_for_function(QUIET)  # until then buttons may be out of the Tab order
    for key in ("Tab", "Enter", "Tab"):  # Streamlit's own link comes first, past its bar
        page.keyboard.press(key)
    expect(page.locator(".sm-skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#run-controls")).to_be_focused()
    page.wait_for_function(QUIET)  # the address has another end now
    page.keyboard.press("Tab")
    focused = page.evaluate("document.activeElement.outerHTML.slice(0, 200)")
    expect(page.get_by_role("button", name="Start merging"), f"it went to {focused}").to_be_focused()
    expect(plot).not_to_have_attribute("data-drawn", "yes")  # too far away, but not for the keyboard
    values.press("Enter")
    table = plot.get_by_role("region").get_by_role("table")
    expect(table.get_by_role("columnheader")).to_have_text(["Series", "Share of the merged weights (%)", "Row"])
    expect(table.get_by_role("row")).to_have_count(13)  # three sources in four layers
    assert faults(page, ".sm-plot-table:not([hidden])") == []
    page.keyboard.press("Escape")
    expect(table).to_have_count(0)
    tab_to_glossary(page)
    expect(page.get_by_role("tooltip").first).to_contain_text(TERMS["P(open)"])


def tab_to_glossary(page: Page) -> None:
    """Press Tab until the sign beside the words over the gates' picture has the focus."""
    words = glossary(page)
    page.get_by_role("button", name="Start merging").focus()
    for _ in range(60):
        page.keyboard.press("Tab")
        if words.evaluate("(sign) => sign === document.activeElement"):
            return
    raise AssertionError("Tab does not reach the explanation of the words over the gates")


@pytest.mark.parametrize("large", ["false", "true"])
def test_the_switch_for_large_type_covers_no_name_of_a_page(
    servers: tuple[Server, Server, Path], window: Page, large: str
) -> None:
    page = visit(window, f"{servers[0].address}/guide?large-type={large}")
    for width in (1280, 1366, 1400):
        page.set_viewport_size({"width": width, "height": 720})
        assert (width, at_rest(page, BESIDE)) == (width, [])


def test_who_asks_for_less_motion_has_none(servers: tuple[Server, Server, Path], window: Page) -> None:
    page = visit(window, f"{servers[0].address}/guide")
    assert max(page.evaluate(MOTION)) > 0.05  # seconds, of Streamlit's own
    page.emulate_media(reduced_motion="reduce")
    assert max(page.evaluate(MOTION)) <= 0.001
    assert page.evaluate(AT_ONCE)
    page.emulate_media(reduced_motion="no-preference")


def test_the_check_sees_what_is_wrong(browser: Browser) -> None:
    page = browser.new_page()
    page.set_content(BAD)
    page.add_script_tag(path=AXE)
    assert {"button-name", "color-contrast", "heading-order", "image-alt"} <= {found["id"] for found in faults(page)}
    assert [found["id"] for found in faults(page, only=COLOURS)] == ["color-contrast"]
    page.close()
