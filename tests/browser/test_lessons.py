"""Every lesson from its question to its end, as a reader goes through it, and what the browser keeps of that."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from pages.learn.words import value_text
from pages.shared.teach.going import LEARN
from pages.shared.teach.lesson import Lesson, lessons
from pages.shared.teach.truth import curve, measured
from softmerge_core.experiments.words import percent
from tests.browser.server import PATIENCE, READY, Server, visit
from tests.browser.test_accessibility import ALL, AXE, COLOURS, faults, in_theme

PANEL, BODY = ".st-key-lesson-panel", ".st-key-learn-body"
# Whether the part lies below the panel and above the buttons at the foot of a narrow page, or begins there.
SEEN = """([part, panel]) => {
  const box = document.querySelector(part).getBoundingClientRect();
  const over = document.querySelector(panel).getBoundingClientRect();
  return over.top >= 0 && box.top >= over.bottom - 2 && box.top < innerHeight - 100;
}"""
KEPT = "JSON.parse(localStorage.getItem('softmerge-lessons') ?? '{}')"


@pytest.fixture(scope="module")
def window(servers: tuple[Server, Server, Path], browser: Browser) -> Iterator[Page]:
    """One reader of all lessons, whose browser keeps what they have done."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme="light")
    context.set_default_timeout(1000 * PATIENCE)
    context.add_init_script(path=AXE)
    yield visit(context.new_page(), f"{servers[0].address}/{LEARN}")
    context.close()


def predict(page: Page, lesson: Lesson) -> None:
    """Predict something: the first choice, where the slider is, or a curve that goes down."""
    if lesson.question.sketch:
        area = page.locator(".sm-sketch-area > svg")
        area.scroll_into_view_if_needed()
        box = area.bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + 45, box["y"] + 60)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] - 20, box["y"] + box["height"] - 60, steps=6)
        page.mouse.up()
    elif lesson.question.choices:
        page.get_by_role("radiogroup").get_by_text(lesson.question.choices[0].text).click()
    page.get_by_role("button", name="Compare with the run").click()


def truth_of(lesson: Lesson) -> str:
    """What the comparison has to name: the measured number, or one of the curve's."""
    asked = lesson.question
    if asked.sketch:
        return "|".join(re.escape(percent(one)) for one in asked.sketch.picked(curve(asked.sketch.truth)))
    return re.escape(value_text(measured(asked.measured), asked.unit))


def looked_at(page: Page, number: int, lesson: Lesson) -> None:
    """The panel is there, and what the step is about can be seen below it."""
    step = lesson.steps[number - 1]
    expect(page.locator(PANEL)).to_contain_text(f"{number} of {len(lesson.steps)}")
    expect(page.locator(PANEL)).to_contain_text(step.title)
    page.locator(READY).wait_for()
    part = f".st-key-{step.shows}"
    expect(page.locator(part)).to_be_visible()
    expect(page.locator(part)).to_have_css("outline-style", "solid")
    page.wait_for_function(SEEN, arg=[part, PANEL])
    expect(page.get_by_text("was understood")).to_have_count(0)
    expect(page).to_have_url(re.compile(rf"step={number}(&|$)"))


def run_it(page: Page) -> None:
    """Do what the step asks for: the same merge with a tenth of the penalty."""
    field = page.get_by_label("Penalty", exact=True)
    field.fill("0.1")
    field.press("Enter")
    page.locator(READY).wait_for()
    page.get_by_role("button", name="Start merging").click()
    expect(page.locator(PANEL)).to_contain_text("Done: the run that you started has ended.")


def without_faults(page: Page, part: str, *themes: str) -> None:
    """A part of the page in these themes, in the second its colours; other parts are for test_accessibility.py."""
    for theme, only in zip(themes, (ALL, COLOURS), strict=False):
        in_theme(page, theme)
        assert (part, theme, faults(page, part, only)) == (part, theme, [])


@pytest.mark.parametrize("name", lessons())
def test_a_lesson_leads_from_a_prediction_to_the_page_itself(
    name: str, window: Page, servers: tuple[Server, Server, Path]
) -> None:
    lesson, page = lessons()[name], visit(window, f"{servers[0].address}/{LEARN}?lesson={name}")
    page.get_by_role("button", name="Compare with the run").wait_for()
    without_faults(page, BODY, "light", "dark")
    predict(page, lesson)
    expect(page.locator(".st-key-lesson-reveal")).to_contain_text(re.compile(truth_of(lesson)))
    without_faults(page, BODY, "dark", "light")
    page.get_by_role("button", name="See it on the page").click()
    for number, step in enumerate(lesson.steps, 1):
        looked_at(page, number, lesson)
        if number == 1:
            without_faults(page, PANEL, "light", "dark")
        if step.done == "run":
            run_it(page)
        if number < len(lesson.steps):
            page.get_by_role("button", name="Next", exact=True).click()
    page.wait_for_function(f"{KEPT}[{name!r}]?.done")
    page.get_by_role("button", name="Leave the lesson").click()
    expect(page.locator(PANEL)).to_have_count(0)
    expect(page).not_to_have_url(re.compile("lesson="))


def test_progress_is_kept_until_it_is_to_be_forgotten(window: Page, servers: tuple[Server, Server, Path]) -> None:
    name, lesson = next(iter(lessons().items()))
    step = lesson.steps[-1]
    place = f"{servers[0].address}/{step.page}?{step.state}&lesson={name}&step={len(lesson.steps)}"
    page = visit(window, place)  # a link to a step
    looked_at(page, len(lesson.steps), lesson)
    page = visit(window, f"{servers[0].address}/{LEARN}")
    card = page.locator(f".st-key-card-{name}")
    expect(card).to_contain_text("done")
    page.reload()
    expect(card).to_contain_text("done")
    without_faults(page, BODY, "light", "dark")
    page.get_by_role("button", name="Forget my progress").click()
    expect(card).to_contain_text("new")
    page.wait_for_function(f"Object.keys({KEPT}).length === 0")
    page.reload()
    expect(card).to_contain_text("new")
    expect(page.get_by_role("button", name="Forget my progress")).to_be_disabled()
