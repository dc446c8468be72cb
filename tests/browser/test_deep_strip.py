"""The strip of a deep network: blocks that are opened, chosen for as a whole, and searched."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

BLOCKS = ["stem", "layer1", "layer2", "layer3", "fc"]


def select(page: Page, name: str) -> Locator:
    return page.get_by_role("combobox", name=f"{name}:", exact=False)


def opener(page: Page, block: str) -> Locator:
    return page.get_by_role("button", name=f"Layers of {block}")


def seen(page: Page) -> list[str]:
    return [found.inner_text() for found in page.locator(".sm-name").all() if found.is_visible()]


@pytest.fixture
def strip(demo: str, open_page: Callable[..., Page]) -> Page:
    page = open_page(f"{demo}/deep")
    expect(select(page, "stem")).to_be_attached()
    return page


def test_at_first_there_is_a_row_for_each_block(strip: Page) -> None:
    assert seen(strip) == BLOCKS
    expect(strip.get_by_role("status")).to_have_text("26 layers")
    expect(strip.locator(".sm-head .sm-about").first).to_contain_text("8 layers")


def test_a_block_is_opened_by_mouse_and_keyboard_and_stays_open(strip: Page) -> None:
    opener(strip, "layer2").click()
    expect(opener(strip, "layer2")).to_have_attribute("aria-expanded", "true")
    inner = [f"{unit}.conv{place}" for unit in range(4) for place in (1, 2)]
    assert seen(strip) == [*BLOCKS[:3], *inner, *BLOCKS[3:]]
    strip.get_by_role("button", name="Run again").click()
    expect(select(strip, "layer2.0.conv1")).to_be_visible()
    strip.get_by_role("link", name="Other").click()
    expect(strip.get_by_text("another page")).to_be_visible()
    strip.get_by_role("link", name="Deep").click()
    expect(select(strip, "layer2.0.conv1")).to_be_visible()
    opener(strip, "layer2").focus()
    strip.keyboard.press("Enter")
    expect(select(strip, "layer2.0.conv1")).to_be_hidden()
    assert seen(strip) == BLOCKS


def test_what_is_chosen_for_a_block_is_chosen_for_all_its_layers(strip: Page) -> None:
    select(strip, "layer1").first.select_option("keep:1")
    text = ", ".join(f"layer1.{unit}.conv{place}=keep:1" for unit in range(4) for place in (1, 2))
    expect(strip.get_by_text(f"choices: {text}", exact=True)).to_be_visible()
    opener(strip, "layer1").click()
    select(strip, "layer1.3.conv2").select_option("average")
    expect(strip.get_by_text("layer1.3.conv2=average")).to_be_visible()
    head = strip.locator(".sm-block[data-block=layer1] .sm-head .sm-layer")
    expect(head).to_have_attribute("data-state", "mixed")
    expect(head).to_contain_text("Mixed")
    select(strip, "layer1").first.select_option("gate")
    expect(strip.get_by_text("choices: all gated")).to_be_visible()
    expect(head).to_contain_text("Gate")


def test_arrows_go_through_what_is_seen(strip: Page) -> None:
    select(strip, "stem").focus()
    strip.keyboard.press("ArrowRight")
    strip.keyboard.press("ArrowRight")
    expect(select(strip, "layer2").first).to_be_focused()
    strip.keyboard.press("ArrowLeft")
    expect(select(strip, "layer1").first).to_be_focused()


def test_a_search_shows_the_layers_that_have_the_name_and_then_all_blocks_as_they_were(strip: Page) -> None:
    search = strip.get_by_role("searchbox", name="Find layers by name")
    search.fill("LAYER3 conv2")
    expect(strip.get_by_role("status")).to_have_text("4 of 26 layers")
    assert seen(strip) == ["layer3", *(f"{unit}.conv2" for unit in range(4))]
    strip.get_by_role("button", name="Run again").click()
    expect(strip.get_by_role("status")).to_have_text("4 of 26 layers")
    search.fill("nowhere")
    expect(strip.get_by_role("status")).to_have_text("0 of 26 layers")
    search.fill("")
    assert seen(strip) == BLOCKS


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_fits_a_phone(demo: str, open_page: Callable[..., Page], theme: Any) -> None:
    page = open_page(f"{demo}/deep", theme=theme, narrow=True)
    opener(page, "layer1").click()
    expect(select(page, "layer1.0.conv1")).to_be_visible()
    for found in page.locator(".sm-layer, .sm-open, .sm-search").all():
        if found.is_visible() and (box := found.bounding_box()):
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= 390
            assert box["height"] >= 44  # a finger's width
