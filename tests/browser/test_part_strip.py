"""The strip of layers: mouse, keyboard, what it returns, and what it remembers."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect


def layer(page: Page, name: str) -> Locator:
    return page.get_by_role("combobox", name=f"{name}:")


def state(page: Page, name: str) -> Locator:
    return page.locator(".sm-layer", has=layer(page, name))


@pytest.fixture
def strip(demo: str, open_page: Callable[..., Page]) -> Page:
    page = open_page(f"{demo}/strip")
    expect(layer(page, "conv1.conv")).to_be_attached()
    return page


def test_every_layer_shows_name_kind_and_channels_in_order(strip: Page) -> None:
    expect(strip.locator(".sm-block-name")).to_have_text(["conv1", "conv2", "conv3", "head"])
    expect(strip.locator(".sm-name")).to_have_text(["conv", "norm", "conv", "norm", "conv", "head"])
    expect(strip.locator(".sm-about").first).to_have_text("Conv1d, 24 ch")
    expect(strip.locator(".sm-word")).to_have_text(["Gate"] * 6)
    widths = [strip.locator(".sm-layer").nth(index).bounding_box() for index in (0, 1, 4)]
    assert widths[1]["width"] < widths[0]["width"] < widths[2]["width"]  # type: ignore[index]


def test_choosing_is_shown_and_returned(strip: Page) -> None:
    layer(strip, "conv1.conv").select_option("average")
    layer(strip, "head").select_option("keep:1")
    text = "choices: conv1.conv=average, conv1.norm=gate, conv2.conv=gate, conv2.norm=gate, conv3.conv=gate, "
    expect(strip.get_by_text(f"{text}head=keep:1")).to_be_visible()
    expect(state(strip, "conv1.conv")).to_have_attribute("data-state", "average")
    expect(state(strip, "head")).to_contain_text("Keep <i>shard</i> 2")  # a name is text, never markup
    expect(state(strip, "head").locator(".sm-icon")).to_have_text("■")


def test_the_middle_of_a_layer_is_clickable(strip: Page) -> None:
    box = state(strip, "conv2.conv").bounding_box()
    assert box
    strip.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(layer(strip, "conv2.conv")).to_be_focused()


def test_keyboard(strip: Page) -> None:
    layer(strip, "conv1.conv").focus()
    strip.keyboard.press("ArrowRight")
    expect(layer(strip, "conv1.norm")).to_be_focused()
    strip.keyboard.press("ArrowDown")
    expect(strip.get_by_text("conv1.norm=average")).to_be_visible()
    expect(layer(strip, "conv1.norm")).to_be_focused()
    strip.keyboard.press("ArrowDown")
    expect(strip.get_by_text("conv1.norm=keep:0")).to_be_visible()
    strip.keyboard.press("ArrowLeft")
    expect(layer(strip, "conv1.conv")).to_be_focused()


def test_the_page_may_set_the_choices_too(strip: Page) -> None:
    layer(strip, "conv1.conv").select_option("keep:2")
    expect(strip.get_by_text("conv1.conv=keep:2")).to_be_visible()
    strip.get_by_role("button", name="Average all").click()
    expect(strip.locator(".sm-word")).to_have_text(["Average"] * 6)
    layer(strip, "head").select_option("gate")
    expect(strip.locator(".sm-word")).to_have_text([*["Average"] * 5, "Gate"])
    expect(strip.get_by_text("conv1.conv=average")).to_be_visible()


def test_choices_outlive_a_change_of_page(strip: Page) -> None:
    layer(strip, "conv3.conv").select_option("keep:2")
    expect(strip.get_by_text("conv3.conv=keep:2")).to_be_visible()
    strip.get_by_role("link", name="Other").click()
    expect(strip.get_by_text("another page")).to_be_visible()
    strip.get_by_role("link", name="Strip").click()
    expect(state(strip, "conv3.conv")).to_contain_text("Keep shard 3")
    expect(strip.get_by_text("conv3.conv=keep:2")).to_be_visible()
    layer(strip, "head").select_option("average")
    expect(strip.get_by_text("conv3.conv=keep:2, head=average")).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_fits_a_phone(demo: str, open_page: Callable[..., Page], theme: Any) -> None:
    page = open_page(f"{demo}/strip", theme=theme, narrow=True)
    for index in range(6):
        box = page.locator(".sm-layer").nth(index).bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
        assert box["height"] >= 44  # a finger's width
