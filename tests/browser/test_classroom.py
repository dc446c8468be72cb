"""A class in browsers: a teacher asks, three phones answer, all see who moved; one forks, and the teacher stops it."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Site
from tests.browser.server import READY
from tests.browser.test_accessibility import AXE, STILL, faults
from tests.browser.watching import run_of

Open = Callable[..., Page]
SIDEWAYS = "() => document.querySelector('[data-testid=stMain]').scrollWidth - innerWidth"


@pytest.fixture
def everyone(site: Site, open_page: Open) -> Iterator[tuple[Page, list[Page]]]:
    """A teacher with an open class, and three students in it: by link, by code, and by link in the dark."""
    teacher = open_page(f"{site.address}/classroom")
    teacher.get_by_role("button", name="Open a class").click()
    code = teacher.locator(".sm-code").inner_text()
    first = open_page(f"{site.address}/classroom?code={code}", narrow=True, settled=False)
    second = open_page(f"{site.address}/classroom", narrow=True)
    second.get_by_role("textbox", name="Class code").fill(code.lower())
    second.get_by_role("button", name="Join").click()
    third = open_page(f"{site.address}/classroom?code={code}", narrow=True, theme="dark", settled=False)
    for student in (first, second, third):
        expect(student.get_by_text("You are in.")).to_be_visible()
    yield teacher, [first, second, third]
    teacher.get_by_role("button", name="End the class").click()
    teacher.get_by_role("button", name="End it now").click()
    expect(teacher.get_by_role("button", name="Open a class")).to_be_visible()


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def send(student: Page, start: int, end: int) -> None:
    """Move the slider with the keyboard, from percent to percent, and send the answer."""
    slider = student.get_by_role("slider")
    expect(slider).to_have_value(str(start))
    slider.focus()
    for _ in range(abs(end - start)):
        student.keyboard.press("ArrowRight" if end > start else "ArrowLeft")
    expect(slider).to_have_value(str(end))
    press(student, "Send my answer")
    expect(student.get_by_text(f"You said {end}.0")).to_be_visible()


def check(page: Page) -> None:
    """Nothing of the page keeps a reader out, in either theme, and nothing scrolls sideways."""
    page.add_script_tag(path=AXE)
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        expect(page.get_by_test_id("stApp")).to_have_css("color-scheme", theme)
        page.wait_for_function(STILL)
        assert faults(page, "[data-testid=stMain]") == []
    assert page.evaluate(SIDEWAYS) <= 0


def test_a_class_votes_twice_and_sees_who_moved_and_forks_a_run(
    everyone: tuple[Page, list[Page]], site: Site, open_page: Open
) -> None:
    teacher, students = everyone
    press(teacher, "Ask")
    for place, student in enumerate(students, 53):
        send(student, 50, place)
    check(students[0])
    students[1].reload()  # the student and the answer are still there
    expect(students[1].get_by_text("You said 54.0")).to_be_visible()
    expect(teacher.get_by_text("First vote: 3 of 3 students have answered.")).to_be_visible()
    press(teacher, "Discuss and ask again")
    for place, student in enumerate(students[:2], 53):
        expect(student.get_by_text("In the first vote you said")).to_be_visible()
        send(student, place, 47)  # from where it was
    press(teacher, "Close and reveal")
    moved = teacher.get_by_text("Of 2 students who answered twice, 2 came nearer to the truth")
    expect(moved).to_be_visible()
    teacher.locator(".st-key-picture-class-moves .sm-plot[data-drawn]").wait_for()
    for student in students:
        expect(student.get_by_text("The recorded run has 11.3")).to_be_visible()
    check(teacher)
    check(students[2])
    forked(teacher, students[0], site)


def forked(teacher: Page, student: Page, site: Site) -> None:
    """The teacher shows a run, a student forks it, and the teacher stops that."""
    press(teacher, "Show a run")
    teacher.get_by_role("button", name="A first look").click()
    press(student, "Fork it")
    expect(student.get_by_role("button", name="Start merging")).to_be_enabled()
    student.locator(READY).wait_for()
    field = student.locator(".st-key-steps input")
    field.fill("30000")  # longer than any test looks at it
    field.press("Enter")
    press(student, "Start merging")
    expect(teacher.get_by_role("heading", name="Runs of the class")).to_be_visible()
    expect(teacher.get_by_role("cell", name="30,000")).to_be_visible()
    press(teacher, "Stop it")
    expect(teacher.get_by_role("cell", name="stopped")).to_be_visible()
    assert site.store.status(run_of(student)).status == "stopped"
