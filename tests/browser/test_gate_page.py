"""The gate laboratory in a browser: its numbers are those of the engine, and no drag asks the server for anything."""

import math
from collections.abc import Callable
from itertools import pairwise, product
from typing import Any
from xml.etree import ElementTree

import pytest
import torch
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect
from torch.distributions import RelaxedBernoulli

from pages.gate.states import start_state
from softmerge_core import gates
from softmerge_core.settings import SoftMergeSettings
from tests.browser.conftest import Site
from tests.browser.server import READY, ROOT
from tests.browser.watching import saved, table_of

MATHS = (ROOT / "pages" / "gate" / "laboratory_maths.js").read_text(encoding="utf-8")
NOISE = (1e-6, 0.01, 0.3, 0.5, 0.77, 0.99, 1 - 1e-6)  # u
PLACES = (0.003, 0.2, 0.5, 0.8, 0.997)  # within the stretch, where the density is asked for
STRETCHES = ((-0.1, 1.1), (-0.4, 1.4), (-0.01, 1.01), (-0.1, 1.0), (0.0, 1.1), (0.0, 1.0))
STATES = [
    {"log_alpha": log_alpha, "temperature": temperature, "gamma": gamma, "zeta": zeta}
    for log_alpha, temperature, (gamma, zeta) in product(
        (-12.0, -5.0, -2.4, -1.0, 0.0, 0.5986, 3.0, 12.0), (0.05, 0.3, 2 / 3, 1.0, 3.0), STRETCHES
    )
]
ALL = """([states, noise, places, penalty, rate]) => states.map((state) => ({
  gate: deterministicGate(state), open: expectedL0(state), gradient: gradientOfL0(state), leap: leapOfL0(state),
  zero: massAtZero(state), one: massAtOne(state), truth: trueL0(state), step: stepAgainstPenalty(state, penalty, rate),
  draws: noise.map((u) => sampledGate(state, logit(u))),
  density: places.map((place) => density(state, state.gamma + place * (state.zeta - state.gamma))),
  back: logAlphaAt(unclippedGate(state), state),
}))"""
RAIN = """([states, bins, count]) => states.map((state, at) => {
  const uniform = noiseFrom(at), draws = new Draws(bins, count);
  for (let i = 0; i < count + 1; i += 1) draws.add(states[0], logit(uniform()));
  draws.again(state);
  return {count: draws.count, zeros: draws.zeros, ones: draws.ones, inside: [...draws.inside]};
})"""
AREA = """([states, parts]) => states.map((state) => {
  let area = 0;
  for (let i = 0; i < parts; i += 1) area += density(state, (i + 0.5) / parts) / parts;
  return area + massAtZero(state) + massAtOne(state);
})"""


@pytest.fixture(scope="module")
def maths(browser: Browser) -> Any:
    """A window in which the laboratory's mathematics is loaded, and nothing else."""
    page = browser.new_page()
    page.add_script_tag(content=MATHS)
    yield page
    page.close()


def close(found: Any, wanted: Any, what: str) -> None:
    """Both within 1e-9, of 1 or of the value itself where that is larger."""
    found, wanted = torch.tensor(found, dtype=torch.float64), torch.as_tensor(wanted, dtype=torch.float64)
    off = (found - wanted).abs() / wanted.abs().clamp_min(1)
    worst = int(off.reshape(len(STATES), -1).amax(1).argmax())
    assert off.max() < 1e-9, f"{what}: {found[worst]} instead of {wanted[worst]} at {STATES[worst]}"


def opened(log_alpha: float, temperature: float, stretch: tuple[float, float]) -> tuple[float, float]:
    """P(z != 0) and its gradient, by the engine; where the stretch ends at 0, which the engine refuses, the limits."""
    if stretch[0] == 0:
        return 1.0, 0.0
    at = torch.tensor(log_alpha, dtype=torch.float64, requires_grad=True)
    value = gates.probability_open(at, temperature, stretch)
    value.backward()
    assert at.grad is not None
    return value.item(), at.grad.item()


def test_every_number_is_that_of_the_engine(maths: Page) -> None:
    """The noise and the gates of the engine, in float64, and torch's own density of the concrete distribution."""
    usual = SoftMergeSettings()
    found = maths.evaluate(ALL, [STATES, NOISE, PLACES, usual.penalty, usual.learning_rate])
    uniform = torch.tensor(NOISE, dtype=torch.float64)
    wanted: dict[str, list[Any]] = {
        name: [] for name in ("gate", "open", "gradient", "zero", "one", "draws", "density")
    }
    for state in STATES:
        log_alpha, temperature = torch.tensor(state["log_alpha"], dtype=torch.float64), state["temperature"]
        stretch = (state["gamma"], state["zeta"])
        value, gradient = opened(state["log_alpha"], temperature, stretch)
        # 1 - z is a hard-concrete gate as well, of the negative log alpha and the stretch seen from the other end.
        mirrored, _ = opened(-state["log_alpha"], temperature, (1 - stretch[1], 1 - stretch[0]))
        concrete = RelaxedBernoulli(torch.tensor(temperature, dtype=torch.float64), logits=log_alpha)
        places = torch.tensor(PLACES, dtype=torch.float64)
        wanted["gate"].append(gates.deterministic_gate(log_alpha, stretch).item())
        wanted["open"].append(value)
        wanted["gradient"].append(gradient)
        wanted["zero"].append(1 - value)
        wanted["one"].append(1 - mirrored)
        wanted["draws"].append(gates.hard_concrete(log_alpha, uniform, temperature, stretch).tolist())
        wanted["density"].append((concrete.log_prob(places).exp() / (stretch[1] - stretch[0])).tolist())
    for name, values in wanted.items():
        close([each[name] for each in found], values, name)
    close(
        [each["step"] for each in found],
        [usual.penalty * usual.learning_rate * each for each in wanted["gradient"]],
        "step",
    )
    close([each["back"] for each in found], [state["log_alpha"] for state in STATES], "log alpha from its place")
    assert [each["truth"] for each in found] == [int(gate > 0) for gate in wanted["gate"]]
    for each, state in zip(found, STATES, strict=True):
        assert each["truth"] == int(state["gamma"] == 0 or state["log_alpha"] > each["leap"])


def test_probabilities_of_all_that_a_gate_can_be_add_up_to_one(maths: Page) -> None:
    """The density between 0 and 1, summed up in narrow strips, and both masses."""
    smooth = [state for state in STATES if state["gamma"] < -0.05 and state["zeta"] > 1.05]
    assert len(smooth) == 80
    assert maths.evaluate(AREA, [smooth, 4000]) == pytest.approx([1.0] * len(smooth), abs=1e-5)


def test_draws_are_spread_as_the_engine_says_also_after_another_gate_took_their_noise(maths: Page) -> None:
    bins, count = 10, 4000
    found = maths.evaluate(RAIN, [STATES, bins, count])
    for rain, state in zip(found, STATES, strict=True):
        below = [_below(state, place / bins) for place in range(bins + 1)]
        counts = [rain["zeros"], *rain["inside"], rain["ones"]]
        shares = [below[0], *(high - low for low, high in pairwise(below)), 1 - below[-1]]
        assert rain["count"] == sum(counts) == count
        for drawn, share in zip(counts, shares, strict=True):
            assert abs(drawn - count * share) <= 5 * math.sqrt(count * share * (1 - share)) + 1, (state, drawn, share)


def _below(state: dict[str, float], place: float) -> float:
    """P(stretched variable <= place): the probability that a gate of the stretch seen from there is closed."""
    if place <= state["gamma"]:
        return 0.0
    if place >= state["zeta"]:
        return 1.0
    value, _ = opened(state["log_alpha"], state["temperature"], (state["gamma"] - place, state["zeta"] - place))
    return 1 - value


def test_numbers_are_written_as_sentences_have_them(maths: Page) -> None:
    written = {
        "percentText(0)": "0 %", "percentText(1)": "100 %", "percentText(0.1234)": "12.3 %",
        "percentText(1e-9)": "less than 0.1 %", "percentText(0.99999)": "more than 99.9 %",
        "numberText(-0.001)": "0.00", "numberText(-2.4)": "−2.40",
        "smallText(0.000018)": "0.000018", "smallText(0.25)": "0.25", "smallText(0)": "0",
    }  # fmt: skip
    assert {call: maths.evaluate(call).replace("\u00a0", " ") for call in written} == written


# The page.


def said(page: Page, name: str) -> Locator:
    return page.locator(f".sm-gate [data-said={name}]").first


def sent_by(page: Page) -> list[Any]:
    """What the page sends to the server from now on."""
    sent: list[Any] = []

    def note(frame: Any) -> None:
        sent.append(frame)

    page.on("websocket", lambda socket: socket.on("framesent", note))
    return sent


def drag(page: Page, handle: Locator, dx: float, dy: float = 0.0) -> None:
    """Take a handle, and move it in many steps without letting it go."""
    box = handle.bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + dx, y + dy, steps=5)


def test_it_is_dragged_without_the_server_and_its_link_shows_what_it_was_copied_from(
    site: Site, open_page: Callable[..., Page]
) -> None:
    page = open_page(f"{site.address}/gate")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    sent = sent_by(page)
    page.reload()
    page.locator(READY).wait_for()
    expect(said(page, "gate")).to_contain_text("exactly 0 in 10.0\u00a0% of the draws and exactly 1 in 26.9\u00a0%")
    expect(said(page, "gate")).to_contain_text("expected L0 is 0.900")
    page.wait_for_timeout(500)
    before = len(sent)
    handle = page.locator(".sm-handle[data-in=gate]")
    drag(page, handle.and_(page.locator("[data-name=log_alpha]")), -200)
    expect(said(page, "value-log_alpha")).to_contain_text("−")
    page.wait_for_timeout(600)  # longer than a rest of the reader, who still holds it
    assert len(sent) == before, "a drag has asked the server for something"
    page.mouse.up()
    drag(page, handle.and_(page.locator("[data-name=temperature]")), 0, 30)
    page.mouse.up()
    drag(page, handle.and_(page.locator("[data-name=gamma]")), -40)
    page.mouse.up()
    drag(page, handle.and_(page.locator("[data-name=zeta]")), 40)
    page.mouse.up()
    names = ("log_alpha", "temperature", "gamma", "zeta")
    now = [said(page, f"value-{name}").inner_text() for name in names]
    assert all(value != usual for value, usual in zip(now, ("0.60", "0.67", "−0.10", "1.10"), strict=True))
    words = said(page, "gate").inner_text()
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    link = str(page.evaluate("navigator.clipboard.readText()"))
    other = open_page(link, narrow=True)
    expect(said(other, "gate")).to_have_text(words)
    assert [said(other, f"value-{name}").inner_text() for name in names] == now
    assert other.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") == 390


def the_files_of_the_pictures_hold_the_engines_numbers(page: Page) -> None:
    """Of the first state, and 1,000 draws."""
    state = start_state()
    stretch = (state["gamma"], state["zeta"])

    def rows(name: str, file: str) -> list[list[str]]:
        found = saved(page, page.locator(f".sm-picture-{name}"), "CSV")
        assert found.suggested_filename == file
        return table_of(found)

    open_, gradient = opened(state["log_alpha"], state["temperature"], stretch)
    closed = {row[0]: float(row[3]) for row in rows("gate", "gate-density.csv") if row[0].startswith("Exactly")}
    mirrored, _ = opened(-state["log_alpha"], state["temperature"], (1 - stretch[1], 1 - stretch[0]))
    assert closed == pytest.approx({"Exactly 0": 1 - open_, "Exactly 1": 1 - mirrored}, abs=1e-12)
    curve = rows("l0", "gate-expected-l0.csv")
    assert [float(value) for value in curve[4][2:]] == pytest.approx([open_, gradient], abs=1e-12)
    of_curve = {float(row[1]): [float(value) for value in row[2:]] for row in curve if row[0] == "Expected L0"}
    assert len(of_curve) == 241
    for log_alpha, found in of_curve.items():
        assert found == pytest.approx(opened(log_alpha, state["temperature"], stretch), abs=1e-12)
    assert sum(int(row[3]) for row in rows("rain", "gate-draws.csv")[4:]) == 1000
    picture = page.locator(".sm-picture-gate")
    drawn = ElementTree.fromstring(saved(page, picture, "SVG").path().read_bytes())
    assert drawn.get("width") == "180.0mm"
    assert "image" not in {part.tag.rpartition("}")[2] for part in drawn}
    with Image.open(saved(page, picture, "PNG").path()) as printed:
        assert printed.size[0] == 2125  # dots: 180 mm at 300 to the inch
        assert printed.convert("RGB").getpixel((1, 1)) == (255, 255, 255)
    picture.get_by_role("button", name="Values as a table").click()
    expect(picture.get_by_role("region")).to_contain_text("Stretched, before it is clipped")
    page.keyboard.press("Escape")


def test_keyboard_presets_and_draws(site: Site, open_page: Callable[..., Page]) -> None:
    page = open_page(f"{site.address}/gate")
    slider = page.get_by_role("slider", name="Log alpha")
    slider.focus()
    slider.press("Home")
    expect(said(page, "value-log_alpha")).to_have_text("−12.00")
    slider.press("ArrowRight")
    expect(said(page, "value-log_alpha")).to_have_text("−11.95")
    expect(slider).to_have_attribute("aria-valuetext", "log alpha −11.95")
    expect(said(page, "l0")).to_contain_text("The true L0 is 0; its gradient is 0")
    page.get_by_role("button", name="No stretch").click()
    expect(said(page, "gate")).to_contain_text("exactly 0 in 0\u00a0% of the draws and exactly 1 in 0\u00a0%")
    expect(said(page, "spoken")).to_have_text(said(page, "gate").inner_text())
    expect(said(page, "l0")).to_contain_text("without a stretch below 0 no gate can close")
    page.get_by_role("button", name="Reset").click()
    expect(said(page, "value-log_alpha")).to_have_text(f"{start_state()['log_alpha']:.2f}")
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Go on")).to_be_visible()
    page.get_by_role("button", name="Clear").click()
    expect(said(page, "rain")).to_have_text("Draws are on their way.")
    page.get_by_role("button", name="Draw 1,000").click()
    expect(said(page, "rain")).to_contain_text("Of 1,000 draws")
    the_files_of_the_pictures_hold_the_engines_numbers(page)
    page.get_by_role("button", name="Clear").click()
    page.emulate_media(reduced_motion="reduce")
    page.get_by_role("button", name="Go on").click()
    expect(said(page, "rain")).to_contain_text("Of 50 draws")
