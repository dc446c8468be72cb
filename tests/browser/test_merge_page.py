"""The Merge page in a real browser, from the first press to the verdict, with real workers."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect

from pages.shared.runs.address import LAG
from pages.shared.show.terms import TERMS
from softmerge_core.experiments.merge.spec import MergeSpec
from softmerge_core.runs.writer import RunWriter
from softmerge_core.settings import AttackSettings, DataSpec, SoftMergeSettings, SourceSpec
from softmerge_core.zoo import families
from tests.browser.conftest import Site
from tests.browser.server import READY, glossary, wait_for
from tests.browser.test_accessibility import AXE, BODY, faults, in_theme
from tests.browser.watching import drawn, moves, press_start, query, removed, run_of, wait_updates, watch, watch_places

Open = Callable[..., Page]
ENDLESS = "steps=30000&granularity=Channel"  # longer than any test looks at it
TOY = "family=Spirals+MLP,+shared+trunk&granularity=Layer"
OTHER = "moons-mlp-label-noise"
GATES = ".st-key-picture-gates .sm-plot"
BLOCKS = (".st-key-verdict", ".st-key-picture-gates", ".st-key-picture-accuracy", ".st-key-picture-losses")
MOVE_AND_COPY = """() => {
  const roots = [document, ...[...document.querySelectorAll("*")].flatMap((node) => node.shadowRoot ?? [])];
  const find = (selector) => roots.map((root) => root.querySelector(selector)).find(Boolean);
  const slider = find(".sm-film input"), copy = find(".sm-copy button");
  slider.value = 5;
  slider.dispatchEvent(new Event("input", { bubbles: true }));
  copy.dispatchEvent(new PointerEvent("pointerdown", { bubbles: true, composed: true }));
  copy.click();
}"""
RANGES = """() => {
  const { xaxis, yaxis } = document.querySelector('.st-key-picture-accuracy .js-plotly-plot')._fullLayout;
  return [...xaxis.range, ...yaxis.range].map((edge) => Math.round(edge * 1000));
}"""


def start(page: Page) -> None:
    """Press the button and wait for the first picture of the run."""
    press_start(page, "Start merging")
    expect(page.get_by_test_id("stProgress")).to_contain_text("Step")
    gates(page, "[data-drawn]").wait_for()


def gates(page: Page, state: str = "") -> Locator:
    return page.locator(f"{GATES}{state}")


def progress(page: Page) -> Any:
    """What is expected of the text at the progress bar."""
    return expect(page.get_by_test_id("stProgress"))


def finish(page: Page) -> None:
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Stop")).to_be_disabled()


def status(site: Site, page: Page) -> str:
    return site.store.status(run_of(page)).status


def test_one_press_and_the_gates_move_until_the_run_is_stopped(site: Site, open_page: Open) -> None:
    """Nothing that is drawn leaves the page, and a zoom stays, while data come in and when the run is over."""
    page = open_page(f"{site.address}/?{ENDLESS}")
    gates(page, "[data-drawn]").wait_for()
    watch(page, outside=".st-key-outcome-slot")  # what the earlier run came to goes when another begins
    start(page)
    expect(page.locator(".st-key-picture-gates")).to_contain_text("sources")
    drawn(page, "Losses")
    gates(page).scroll_into_view_if_needed()
    zoomed = zoom_in(page)
    wait_updates(gates(page), 6)
    progress(page).to_contain_text("left")
    go_back_and_forth(page)
    pause_and_resume(site, page)
    assert page.evaluate(RANGES) == zoomed
    finish(page)
    assert status(site, page) == "stopped"
    progress(page).to_contain_text("Stopped")
    expect(page.locator(".st-key-verdict")).to_contain_text("Soft merging ")
    expect(page.get_by_role("button", name="Resume")).to_be_enabled()
    assert page.evaluate(RANGES) == zoomed
    assert removed(page) == 0


def test_from_landing_to_the_answer_about_other_networks_in_three_clicks(site: Site, open_page: Open) -> None:
    page = open_page(site.address)
    verdict = page.locator(".st-key-verdict")
    expect(verdict).to_contain_text("points above plain averaging")  # of the recorded merge, before any click
    page.evaluate("window.clicks = 0; addEventListener('click', (event) => { clicks += event.isTrusted; }, true)")
    page.get_by_role("combobox", name="Family of trained networks").click()
    page.get_by_role("option", name=families()[OTHER].title).click()
    press_start(page, "Start merging")
    expect(verdict).to_contain_text("given here when the run ends")
    expect(verdict).not_to_contain_text("given here when the run ends")
    expect(verdict).to_contain_text("Soft merging ")
    expect(verdict).to_contain_text("plain averag")
    expect(verdict).to_contain_text("won: validation loss")  # why
    assert page.evaluate("clicks") == 3


def zoom_in(page: Page) -> Any:
    """Zoom into the picture of accuracy by a drag; returns its ranges, which stay while it is drawn again."""
    plot = page.locator(".st-key-picture-accuracy .sm-plot")
    page.locator(".st-key-picture-accuracy .sm-plot[data-drawn]").wait_for()
    box = plot.locator(".nsewdrag").first.bounding_box()
    assert box
    whole = page.evaluate(RANGES)
    page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 0.2 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + 0.7 * box["height"], steps=5)
    page.mouse.up()
    wait_for(lambda: page.evaluate(RANGES) != whole, "the zoom")
    wait_updates(plot, 1)
    zoomed = page.evaluate(RANGES)
    wait_updates(plot, 2)
    assert page.evaluate(RANGES) == zoomed
    return zoomed


def go_back_and_forth(page: Page) -> None:
    """A live run has a film: pictures and words go back while the run goes on, and follow it again from its end."""
    page.get_by_text("Replay", exact=True).click()
    slider, verdict = page.locator(".sm-film input"), page.locator(".st-key-verdict")
    expect(slider).to_be_enabled()
    slider.press("Home")
    expect(page.locator(".sm-film-said")).to_contain_text("Since step 0")  # the browser has fetched the moment
    expect(page.locator(".st-key-picture-losses .sm-plot-moment")).to_be_visible()
    expect(verdict).to_contain_text("At step 0:")
    longest = int(slider.get_attribute("max") or 0)
    wait_for(lambda: int(slider.get_attribute("max") or 0) > longest, "the film to grow")
    assert slider.input_value() == "0"
    slider.press("End")
    expect(verdict).to_contain_text("given here when the run ends")
    expect(page.locator(".st-key-picture-losses .sm-plot-moment")).to_be_hidden()


def pause_and_resume(site: Site, page: Page) -> None:
    page.get_by_role("button", name="Pause").click()
    progress(page).to_contain_text("Paused")
    assert status(site, page) == "paused"
    held = site.store.read(run_of(page)).next
    page.wait_for_timeout(500)
    assert site.store.read(run_of(page)).next == held  # nothing is told meanwhile
    page.get_by_role("button", name="Resume").click()
    progress(page).to_contain_text("left")
    assert status(site, page) == "running"


def test_a_reload_and_a_second_tab_show_the_same_live_run(site: Site, open_page: Open) -> None:
    page = open_page(f"{site.address}/?{ENDLESS}")
    start(page)
    run_id = run_of(page)
    page.reload()
    gates(page, "[data-drawn]").wait_for()
    assert run_of(page) == run_id
    assert query(page)["steps"] == "30000"
    second = open_page(f"{site.address}/?run={run_id}", settled=False)  # another reader, who may watch it
    gates(second, "[data-drawn]").wait_for()
    assert run_of(second) == run_id
    wait_updates(gates(second), 1)
    expect(second.get_by_role("button", name="Stop")).to_be_disabled()
    page.get_by_role("button", name="Stop").click()  # a reload keeps who started it
    progress(page).to_contain_text("Stopped")
    assert [run.id for run in site.store.list()].count(run_id) == 1


def test_a_toy_shows_its_decisions_and_the_run_ends_with_a_verdict(site: Site, open_page: Open) -> None:
    page = open_page(f"{site.address}/?{TOY}&steps=40")
    press_start(page, "Start merging")
    drawn(page, "Decisions")
    progress(page).to_contain_text("Finished")
    expect(page.locator(".st-key-verdict")).to_contain_text("Soft merging ")
    expect(page.locator(".sm-table")).to_contain_text("Plain average")
    with page.expect_download() as download:
        page.get_by_role("button", name="Merged weights").click()
    assert Path(download.value.path()).read_bytes() == site.store.weights(run_of(page), "merged").read_bytes()
    nothing_jumps_when_it_runs_again(page)


def nothing_jumps_when_it_runs_again(page: Page) -> None:
    """From the press to the end of the run, what is seen keeps its place."""
    before = run_of(page)
    watch_places(page, *BLOCKS)
    page.get_by_role("button", name="Start merging").click()
    page.wait_for_url(lambda url: before not in url)
    progress(page).to_contain_text("Finished")
    expect(page.locator(".sm-table")).to_contain_text("Plain average")
    moved = moves(page)
    assert moved.keys() == set(BLOCKS)
    assert max(moved.values()) <= 2, moved  # px: less than anybody sees


def test_a_source_with_nan_is_told_and_the_page_goes_on(site: Site, open_page: Open) -> None:
    page = open_page(f"{site.address}/?{TOY}&steps=20")
    gates(page, "[data-drawn]").wait_for()
    page.locator("[class*=st-key-card-]").first.get_by_test_id("stPopover").get_by_role("button").click()
    page.get_by_text("NaN", exact=True).click()
    expect(page.locator("[class*=st-key-card-]").first).to_contain_text("Poisoned: NaN")
    page.keyboard.press("Escape")
    press_start(page, "Start merging")
    expect(page.get_by_test_id("stAlert").filter(has_text="NaN or Inf")).to_be_visible()
    expect(gates(page, "[data-drawn]")).to_have_count(0)  # nothing of the run shown before is left
    expect(page.get_by_role("button", name="Start merging")).to_be_enabled()
    assert status(site, page) == "failed"


def test_a_paused_run_goes_on_with_other_settings_and_a_moment_of_it_branches(site: Site, open_page: Open) -> None:
    page = open_page(f"{site.address}/?{TOY}&steps=20000")
    start(page)
    page.get_by_role("button", name="Pause").click()
    progress(page).to_contain_text("Paused")
    set_anew(page, "Change", "Go on with these", penalty=0.05)
    expect(page.get_by_test_id("stPopoverBody")).to_have_count(0)
    progress(page).to_contain_text("left")
    finish(page)
    (change,) = spec_of(site, page).changes
    assert change.values() == {"penalty": 0.05}
    before = run_of(page)
    page.locator(".st-key-replay-on label").first.click()
    set_anew(page, "Branch from here", "Start", temperature=0.3)
    page.wait_for_url(lambda url: before not in url)
    branch = spec_of(site, page)
    assert branch.parent == (before, 0)
    assert [(each.step, each.values()) for each in branch.changes] == [(0, {"temperature": 0.3})]


def set_anew(page: Page, popover: str, go: str, **values: float) -> None:
    """Open a popover, set one of the settings in it, and press its button."""
    page.get_by_role("button", name=popover, exact=True).click()
    opened = page.get_by_test_id("stPopoverBody")
    for name, value in values.items():
        field = opened.get_by_role("spinbutton", name=name.capitalize())
        field.fill(str(value))
        field.press("Enter")
    opened.get_by_role("button", name=go, exact=True).click()


def spec_of(site: Site, page: Page) -> MergeSpec:
    found = site.store.read(run_of(page)).spec
    assert isinstance(found, MergeSpec)
    return found


def test_clicking_a_cell_tells_its_gate(site: Site, open_page: Open) -> None:
    page = open_page(f"{site.address}/?run=example:first-look")
    gates(page, "[data-drawn]").wait_for()
    box = gates(page).locator(".nsewdrag").first.bounding_box()
    assert box
    page.mouse.click(box["x"] + 0.1 * box["width"], box["y"] + 0.1 * box["height"])
    expect(page.get_by_text("from digits-expert: mean P(open) =")).to_be_visible()
    page.get_by_role("button", name="Why?").click()
    expect(page.get_by_test_id("stPopoverBody")).to_contain_text("penalty")
    page.get_by_test_id("stPopoverBody").locator(".sm-plot[data-drawn]").wait_for()
    page.add_script_tag(path=AXE)
    for theme in ("dark", "light"):
        in_theme(page, theme)
        assert (theme, faults(page, BODY)) == (theme, [])


def test_a_narrow_dark_screen_needs_no_sideways_scrolling_and_meets_no_error(site: Site, open_page: Open) -> None:
    page = open_page(site.address, narrow=True, theme="dark")
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.reload()
    page.get_by_role("button", name="Start merging").wait_for()
    button = page.get_by_role("button", name="Start merging").bounding_box()
    assert button
    assert button["y"] + button["height"] <= 844  # within the first screen
    drawn(page, "Gates: Each row")
    assert problems == []
    assert page.get_by_test_id("stException").count() == 0
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= 390
    told = [page.get_by_role("heading", name="Soft Merge"), page.locator(".st-key-verdict"), gates(page)]
    tops = [part.evaluate("(part) => part.getBoundingClientRect().top") for part in [*told, page.locator("#set-up")]]
    assert tops == sorted(tops)  # the picture comes before the set-up, which a link leads to
    page.get_by_role("link", name="Settings").tap()
    expect(page.get_by_text("Family of trained networks")).to_be_in_viewport()
    glossary(page).tap()
    expect(page.get_by_role("tooltip").first).to_contain_text(TERMS["P(open)"])


def test_back_and_forward_show_the_runs_of_their_addresses(site: Site, open_page: Open) -> None:
    page = open_page(f"{site.address}/")
    assert page.evaluate("history.length") <= 2  # the page itself adds no entry
    run_id = site.store.create(toy_spec())
    with RunWriter(site.store.folder(run_id)) as writer:
        writer.end("stopped")
    page.get_by_role("button", name="Earlier runs").click()
    page.get_by_role("button", name="Toy").first.click()
    page.wait_for_url(lambda url: run_id in url)
    progress(page).to_contain_text("Stopped")
    expect(page.get_by_test_id("stPopoverBody")).to_have_count(0)
    page.wait_for_timeout(1000 * LAG)
    page.go_back()
    progress(page).to_contain_text("A recorded example")
    page.go_forward()
    progress(page).to_contain_text("Stopped")
    assert run_of(page) == run_id


def test_a_link_is_copied_although_the_film_has_news_in_the_same_instant(site: Site, open_page: Open) -> None:
    """Both are parts that are drawn by themselves, and of what comes in one instant Streamlit runs one part only."""
    page = open_page(f"{site.address}/?run=example:first-look&replay=3")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    expect(page.locator(".sm-film input")).to_be_enabled()
    page.locator(READY).wait_for()
    page.evaluate(MOVE_AND_COPY)
    expect(page.locator(".sm-copy .sm-said")).to_contain_text("copied")
    assert "replay=5" in str(page.evaluate("navigator.clipboard.readText()"))


def test_a_link_holds_what_a_run_was_made_from(site: Site, open_page: Open) -> None:
    """Also after the press that fetches it, which brings widgets to the page that were not there before."""
    spec, family = toy_spec(), families()[OTHER]
    run_id = site.store.create(spec)
    with RunWriter(site.store.folder(run_id)) as writer:
        writer.end("stopped")
    page = open_page(f"{site.address}/?run={run_id}")
    page.get_by_role("button", name="Use the settings of this run").click()
    page.wait_for_url(lambda url: "strength" in url and "penalty=0.05" in url)
    asked, poison = query(page), f"poison:{OTHER}/source-2"
    assert asked.items() >= {"family": family.title, poison: "Noise", f"{poison}:noise:strength": "5.0"}.items()
    assert asked["parts"] == f"{family.layers[0].name}=keep:1"
    again = open_page(page.url)
    expect(again.locator(".sm-fits")).to_be_attached()
    assert query(again).items() >= {"family": family.title, poison: "Noise"}.items()


def toy_spec() -> MergeSpec:
    """A merge of some sources of a family that the page does not begin with; one is poisoned, a layer kept."""
    family, attacks = families()[OTHER], {"source-1": None, "source-2": AttackSettings(kind="noise", strength=5)}
    sources = tuple(SourceSpec(model=f"{OTHER}/{name}", attack=attack) for name, attack in attacks.items())
    settings = SoftMergeSettings(penalty=0.05, parts={family.layers[0].name: "keep:1"})
    return MergeSpec(name="Toy", sources=sources, data=DataSpec(dataset=family.dataset), settings=settings)
