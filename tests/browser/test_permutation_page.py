"""The Permutation page: what the browser computes is what torch computes, the hand moves units, alignment undoes it."""

import re
from collections.abc import Callable
from functools import cache
from xml.etree import ElementTree

import pytest
import torch
from playwright.sync_api import Locator, Page, expect
from torch import nn

from pages.permutation.orders import Orders, as_texts, as_trained, from_texts
from pages.shared.show.links import read
from softmerge_core.alignment import apply, matching, permutation_groups
from softmerge_core.alignment.permute import tensors_of, with_tensors
from softmerge_core.data import load_dataset
from softmerge_core.evaluation import evaluate, predict
from softmerge_core.settings import SourceSpec
from softmerge_core.zoo import load_source
from tests.browser.conftest import Site
from tests.browser.server import READY, wait_for
from tests.browser.watching import saved, table_of

FAMILY, SIZES = "spirals-mlp-independent", (32, 32)
AVERAGE, SHUFFLED = "mean", "second"
# The order in which the units of each layer stand, as their names tell.
STAND = """(layers) => layers.map((layer) => {
  const units = [...layer.querySelectorAll(".sm-unit")].map((unit) => unit.getAttribute("aria-label").match(/\\d+/g));
  return units.sort((a, b) => a[1] - b[1]).map(([unit]) => unit - 1);
})"""


@cache
def network(number: int) -> nn.Module:
    """A source of the family in double precision."""
    return load_source(SourceSpec(model=f"{FAMILY}/source-{number}")).module.double()


def in_order(source: nn.Module, orders: Orders) -> nn.Module:
    groups = permutation_groups(source)
    return apply(source, {group.name: torch.tensor(order) for group, order in zip(groups, orders, strict=True)}, groups)


def average(first: nn.Module, second: nn.Module) -> nn.Module:
    states = tensors_of(first), tensors_of(second)
    return with_tensors(first, {name: (states[0][name] + states[1][name]) / 2 for name in states[0]})


def standing(page: Page) -> Orders:
    found: Orders = page.locator(".sm-layer").evaluate_all(STAND)
    return found


def shown(page: Page, plane: str) -> tuple[float, float]:
    """(accuracy, loss) below a picture."""
    numbers = page.locator(f".sm-plane-{plane}")
    return float(numbers.get_attribute("data-accuracy") or "nan"), float(numbers.get_attribute("data-loss") or "nan")


def agrees(page: Page, second: nn.Module) -> None:
    """Whether all numbers of the page are torch's, of Source 1 and ``second`` in the order that is shown."""
    data = load_dataset("spirals")
    inputs, labels = data.test_inputs.double(), data.test_labels
    now = in_order(second, standing(page))
    for plane, expected in (("first", network(1)), (SHUFFLED, now), (AVERAGE, average(network(1), now))):
        assert shown(page, plane) == pytest.approx(evaluate(expected, inputs, labels), rel=1e-9), plane
    assert (predict(now, inputs) - predict(second, inputs)).abs().max() < 1e-12
    assert float(page.locator(".sm-hand").get_attribute("data-difference") or "nan") < 1e-12


def unit(page: Page, layer: int, number: int) -> Locator:
    return page.locator(".sm-layer").nth(layer).get_by_role("button", name=re.compile(rf"^Unit {number},"))


@pytest.fixture
def hand(site: Site, open_page: Callable[..., Page]) -> Page:
    page = open_page(f"{site.address}/permutation")
    expect(page.locator(".sm-summary")).to_contain_text("Every unit stands where it was trained")
    page.emulate_media(reduced_motion="reduce")
    return page


def test_by_hand_units_change_places_and_every_number_is_torchs(hand: Page) -> None:
    agrees(hand, network(1))
    unit(hand, 1, 1).focus()
    hand.keyboard.press("ArrowDown")
    assert standing(hand)[1][:3] == [1, 0, 2]
    hand.keyboard.press("ArrowRight")
    expect(unit(hand, 1, 3)).to_be_focused()
    hand.keyboard.press("Enter")
    unit(hand, 1, 32).click()
    assert (standing(hand)[1][2], standing(hand)[1][31]) == (31, 2)
    boxes = [unit(hand, 0, number).bounding_box() for number in (5, 9)]
    assert boxes[0]
    assert boxes[1]
    hand.mouse.move(boxes[0]["x"] + 9, boxes[0]["y"] + 5)
    hand.mouse.down()
    hand.mouse.move(boxes[1]["x"] + 9, boxes[1]["y"] + 5, steps=4)
    hand.mouse.up()
    assert standing(hand)[0][4:9] == [5, 6, 7, 8, 4]
    expect(hand.locator(".sm-summary")).to_contain_text("9 of 64 units stand elsewhere: the function is the same to ")
    agrees(hand, network(1))
    assert shown(hand, AVERAGE)[0] < shown(hand, SHUFFLED)[0]
    for _ in range(3):
        hand.get_by_role("button", name="Undo").click()
    assert standing(hand) == as_trained(SIZES)
    hand.get_by_role("button", name="Shuffle 3").click()
    expect(hand.locator(".sm-summary")).to_contain_text("3 of 64 units stand elsewhere")
    hand.get_by_label("Seed").fill("7")
    hand.get_by_role("button", name="Shuffle all").click()
    agrees(hand, network(1))
    once = standing(hand)
    the_files_of_a_picture_hold_what_it_shows(hand)
    hand.get_by_role("button", name="Reset").click()
    hand.get_by_label("Seed").fill("7")
    hand.get_by_role("button", name="Shuffle all").click()
    assert standing(hand) == once


def the_files_of_a_picture_hold_what_it_shows(page: Page) -> None:
    """Samples and points with torch's own probabilities; as SVG every mark is a path, and only the field an image."""
    plane = page.locator(f".sm-plane-{AVERAGE}")
    file = saved(page, plane, "CSV")
    assert file.suggested_filename == f"permutation-{AVERAGE}-{FAMILY}.csv"
    rows, data = table_of(file), load_dataset("spirals")
    assert [row[0] for row in rows] == ["Test sample"] * len(data.test_labels) + ["Grid"] * 3600
    places = torch.tensor([[float(value) for value in row[1:3]] for row in rows], dtype=torch.float64)
    assert torch.equal(places[: len(data.test_labels)], data.test_inputs.double())
    wanted = predict(average(network(1), in_order(network(1), standing(page))), places).softmax(1)
    found = torch.tensor([[float(value) for value in row[5:]] for row in rows], dtype=torch.float64)
    assert (found - wanted).abs().max() < 1e-9
    drawn = ElementTree.fromstring(saved(page, plane, "SVG").path().read_bytes())
    assert drawn.get("width") == "180.0mm"
    tags = [part.tag.rpartition("}")[2] for part in drawn]
    assert (tags.count("image"), tags.count("path")) == (1, 8)  # the marks of each class, of what is wrong, the legend
    plane.get_by_role("button", name="Values as a table").click()
    expect(plane.get_by_role("region")).to_contain_text(f"The first 1000 of {len(rows)} rows")
    page.keyboard.press("Escape")
    expect(plane.get_by_role("button", name="Values as a table")).to_be_focused()


def test_a_link_holds_the_order(site: Site, open_page: Callable[..., Page]) -> None:
    orders = [list(range(31, -1, -1)), list(range(32))]
    page = open_page(f"{site.address}/permutation?order={'&order='.join(as_texts(orders))}")
    expect(page.locator(".sm-summary")).to_contain_text("32 of 64 units stand elsewhere")
    assert standing(page) == orders
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    unit(page, 1, 1).press("ArrowDown")
    page.get_by_role("button", name="Copy link").click()  # at once: the order is told before
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    link = str(page.evaluate("navigator.clipboard.readText()"))
    assert from_texts(read(link.partition("?")[2]).all["order"], SIZES) == [orders[0], [1, 0, *range(2, 32)]]


def test_alignment_puts_a_shuffled_network_back_and_brings_another_one_nearer(hand: Page) -> None:
    align, said = hand.get_by_role("button", name="Align", exact=True), hand.locator(".sm-matched")
    hand.get_by_role("button", name="Shuffle all").click()
    away = sum(unit != place for order in standing(hand) for place, unit in enumerate(order))
    align.click()
    expect(said).to_contain_text(f"Weight matching put {away} of {away} units back rightly: the average rises from ")
    assert standing(hand) == as_trained(SIZES)
    agrees(hand, network(1))
    hand.get_by_text("Source 2, trained apart").click()
    expect(hand.locator(".sm-summary")).to_contain_text("Source 2 stands in the order in which it was trained")
    hand.locator(READY).wait_for()
    before = shown(hand, AVERAGE)
    agrees(hand, network(2))
    align.click()
    expect(said).to_contain_text("trained apart have learned different units, so no order is the right one")
    single = [load_source(SourceSpec(model=f"{FAMILY}/source-{number}")).module for number in (1, 2)]
    found = [order.tolist() for order in matching(*single).values()]
    wait_for(lambda: standing(hand) == found, "the order that the engine finds")
    agrees(hand, network(2))
    assert before[0] < shown(hand, AVERAGE)[0] < shown(hand, SHUFFLED)[0]
