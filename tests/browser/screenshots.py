"""Pictures of the app as it is, to be looked at and for the README: ``python -m tests.browser.screenshots``.

Every page in both themes at several widths goes to a folder; ``--docs`` takes the README's pictures instead, and the
moving one: a merge that is really run, each of its frames shown for as long as it stood.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from pages.merge.outcome import LATER
from pages.site import PAGES
from tests.browser.chromium import launch
from tests.browser.server import PATIENCE, READY, ROOT, Server, visit, wait_for

WIDTHS = (1440, 1920, 390)  # px: a laptop, a projector, a phone
PHONE = 640  # px: narrower windows are a phone's, whose finger has its own buttons
TALLEST = 12_000  # px of a page
THEMES = ("light", "dark")
# The README's pictures: the page, and how much of it is shown in px. That of a sweep needs one that was run.
DOCS = {
    "merge": 1000, "runs": 1000, "compare": 1000, "robustness": 1000, "connectivity": 1000,
    "scope": 1000, "federated": 1000,
}  # fmt: skip
FILM = {"width": 1440, "height": 940}
LONG = "steps=1500"  # of each stage: so long that a picture a moment can be taken
SHOWN = 960  # px: the width of the moving picture
LAST = 3000  # ms for which its last frame stands
BREATH = 120  # ms
WARM = 15_000  # ms in which the workers have surely started
QUALITY = 60
# Every chart that has something to show and is in or near the window is drawn, and none is being drawn again.
DRAWN = """() => { const charts = [...(window.softmergeCharts ?? [])];
  return charts.length === document.querySelectorAll(".sm-plot").length && charts.every((chart) => !chart.latest
    || !chart.near || (chart.host.dataset.drawn === "yes" && !chart.drawing && !chart.pending)); }"""
HEIGHT = "() => document.querySelector('[data-testid=stMain]').scrollHeight"
STILL = 1500  # ms for which nothing changes in a page that is at rest


@contextmanager
def app(browser: Browser) -> Iterator[tuple[Browser, str]]:
    """The app with a home of its own."""
    with tempfile.TemporaryDirectory() as home, Server(ROOT / "app.py", Path(home)) as server:
        yield browser, server.address


def take_all(browser: Browser, address: str, asked: argparse.Namespace) -> None:
    """Every page, whole, in each theme and width."""
    folder, names = asked.out, asked.pages
    folder.mkdir(parents=True, exist_ok=True)
    for theme in asked.themes:
        for width in asked.widths:
            page = window(browser, theme, {"width": width, "height": 900})
            for name in names:
                shot(page, f"{address}/{name}", folder / f"{name}-{width}-{theme}.png")
            page.context.close()


def shot(page: Page, address: str, file: Path, height: int | None = None) -> None:
    """One picture of a page, of its whole height unless that is given."""
    width, seen = (page.viewport_size or FILM)["width"], 0
    settled(visit(page, address))
    while (whole := height or min(int(page.evaluate(HEIGHT)), TALLEST)) != seen:  # what comes into sight may be longer
        page.set_viewport_size({"width": width, "height": whole})
        settled(page)
        seen = whole
    page.screenshot(path=file)
    page.set_viewport_size({"width": width, "height": 900})
    print(file)


def settled(page: Page) -> None:
    """Wait until what can be seen is drawn and has come to rest, however busy the machine is."""
    rest = (lambda: page.evaluate(DRAWN), "the pictures of the page")
    wait_for(*rest)
    page.wait_for_timeout(STILL)
    page.locator(READY).wait_for()
    wait_for(*rest)


def window(browser: Browser, theme: Any, size: Any) -> Page:
    """A page of its own in a theme and a size."""
    touch = size["width"] <= PHONE
    context = browser.new_context(viewport=size, color_scheme=theme, reduced_motion="reduce", has_touch=touch)
    context.set_default_timeout(1000 * PATIENCE)
    return context.new_page()


def film(browser: Browser, address: str, file: Path) -> None:
    """A merge from the press of the button to its verdict, as a moving picture."""
    page = window(browser, "light", FILM)
    settled(visit(page, f"{address}/merge?{LONG}"))
    frames = [(time.monotonic(), look(page))]
    page.wait_for_timeout(WARM)
    page.get_by_role("button", name="Start merging").click()
    page.mouse.move(2, 2)
    while not live(page):
        frames.append((time.monotonic(), look(page)))
    while live(page):
        frames.append((time.monotonic(), look(page)))
    settled(page)
    frames.append((time.monotonic(), look(page)))
    write_film(frames, file)
    print(file, f"{len(frames)} frames, {file.stat().st_size / 2**20:.1f} MB")
    page.context.close()


def look(page: Page) -> bytes:
    """What is seen just now, after a moment that the page has for itself."""
    page.wait_for_timeout(BREATH)
    return page.screenshot(type="jpeg", quality=90)


def live(page: Page) -> bool:
    """Whether the merge that is shown has begun and still has no verdict."""
    return page.locator(".st-key-verdict").get_by_text(LATER.sentence).count() > 0


def write_film(frames: Sequence[tuple[float, bytes]], file: Path) -> None:
    """An animated picture of (time in s, JPEG); a frame like the one before it makes that one stand longer."""
    pictures: list[Any] = []
    lasts: list[int] = []
    for (start, shown), (end, _) in zip(frames, [*frames[1:], (frames[-1][0] + LAST / 1000, b"")], strict=True):
        picture = Image.open(BytesIO(shown)).convert("RGB")
        picture = picture.resize((SHOWN, round(SHOWN * picture.height / picture.width)), Image.Resampling.LANCZOS)
        if pictures and picture.tobytes() == pictures[-1].tobytes():
            lasts[-1] += round(1000 * (end - start))
        else:
            pictures.append(picture)
            lasts.append(round(1000 * (end - start)))
    pictures[0].save(file, save_all=True, append_images=pictures[1:], duration=lasts, loop=0, quality=QUALITY, method=6)


def main() -> None:
    """Take the pictures that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--docs", action="store_true", help="the README's pictures instead, into docs/")
    parser.add_argument("--film", action="store_true", help="the README's moving picture alone")
    parser.add_argument("--out", type=Path, default=ROOT / "screenshots", help="the folder of the pictures")
    parser.add_argument("--pages", nargs="+", default=list(PAGES), choices=PAGES)
    parser.add_argument("--widths", nargs="+", type=int, default=WIDTHS)
    parser.add_argument("--themes", nargs="+", default=THEMES, choices=THEMES)
    asked = parser.parse_args()
    with sync_playwright() as playwright, app(launch(playwright)) as (browser, address):
        if asked.docs:
            page = window(browser, "light", {"width": 1440, "height": 900})
            for name, height in DOCS.items():
                shot(page, f"{address}/{name}", ROOT / "docs" / f"{name}-page.png", height)
        if asked.docs or asked.film:
            film(browser, address, ROOT / "docs" / "live-merge.webp")
        else:
            take_all(browser, address, asked)


if __name__ == "__main__":
    main()
