"""The menu of the pages on a phone: what keyboards and screen readers meet there, whenever Streamlit draws it anew."""

from collections.abc import Callable

from playwright.sync_api import Locator, Page, ViewportSize, expect

from pages.site import MENUS, PAGES
from tests.browser.conftest import Site
from tests.browser.server import READY
from tests.browser.test_accessibility import ALL, AXE, COLOURS, PHONE, faults, in_theme

MENU = "[data-testid=stSidebar]"
ITEMS = len(PAGES) - sum(map(len, MENUS.values())) + len(MENUS)  # a group of pages is one of them
WIDE: ViewportSize = {"width": 1440, "height": 900}  # px


def test_keys_and_screen_readers_find_their_way_through_the_menu(open_page: Callable[..., Page], site: Site) -> None:
    page = open_page(f"{site.address}/guide", narrow=True)
    page.add_script_tag(path=AXE)
    menu, button = page.locator(MENU), page.get_by_role("button", name="Expand sidebar")
    expect(menu.get_by_role("link")).to_have_count(0)  # closed, it is not there
    for _ in range(2):  # past Streamlit's own link to the page
        page.keyboard.press("Tab")
    opened(menu, button, "Guide")
    for theme, only in (("light", ALL), ("dark", COLOURS)):
        in_theme(page, theme)
        assert (theme, faults(page, only=only)) == (theme, [])
    folded_and_back(menu)
    page.keyboard.press("Escape")
    expect(menu.get_by_role("link")).to_have_count(0)
    opened(menu, button, "Guide")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{site.address}/classroom")
    page.locator(READY).wait_for()
    opened(menu, button, "Classroom")  # on another page it is as it was
    assert faults(page, MENU) == []
    page.keyboard.press("Escape")
    page.set_viewport_size(WIDE)
    expect(menu).to_have_count(0)
    group = page.get_by_test_id("stTopNavSection")
    expect(group).to_have_count(1)  # until the bar has measured itself, it has another one for what has no room
    group.click()
    expect(page.get_by_role("menuitem")).to_have_count(len(MENUS["Learn"]))
    assert faults(page, "[data-testid=stTopNavPopoverBody]") == []
    page.keyboard.press("Escape")
    page.set_viewport_size(PHONE)
    button.focus()
    opened(menu, button, "Classroom")  # and after it was gone


def opened(menu: Locator, button: Locator, name: str) -> None:
    """Open the menu by its button, which has the focus; that goes to the page that is shown."""
    expect(button).to_be_focused()
    button.press("Enter")
    expect(menu.get_by_role("link", name=name, exact=True)).to_be_focused()
    expect(menu.get_by_role("listitem")).to_have_count(ITEMS)


def folded_and_back(menu: Locator) -> None:
    """Fold the group of pages and unfold it, by keys."""
    word = menu.get_by_role("button", name="Learn")
    expect(word).to_have_attribute("aria-expanded", "true")
    word.press("Space")
    expect(word).to_have_attribute("aria-expanded", "false")
    expect(menu.get_by_role("link")).to_have_count(ITEMS - 1)
    word.press("Enter")
    expect(menu.get_by_role("link")).to_have_count(len(PAGES))
    expect(word).to_have_attribute("aria-expanded", "true")
    expect(menu.get_by_role("listitem")).to_have_count(ITEMS)
