"""The colours that Streamlit itself draws with can be read."""

import re
import tomllib

import pytest

from pages.shared.show.theme import LARGE, style_rules
from softmerge_core.figures.style import THEMES, Theme
from tests.figures.test_style import contrast
from tests.pages.conftest import ROOT

FADED = 0.6  # how much of its colour Streamlit gives to the text of a table's fixed column


@pytest.mark.parametrize("theme", THEMES)
def test_names_in_a_fixed_column_stand_out(theme: Theme) -> None:
    colours = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))["theme"][theme]
    ground, text = (
        [int(colours[name][at : at + 2], 16) for at in (1, 3, 5)] for name in ("backgroundColor", "textColor")
    )
    drawn = [round(FADED * letter + (1 - FADED) * under) for letter, under in zip(text, ground, strict=True)]
    assert contrast("#{:02x}{:02x}{:02x}".format(*drawn), colours["backgroundColor"]) >= 4.5


def test_only_a_run_that_was_watched_and_a_film_keep_room_for_a_longer_verdict() -> None:
    rules = (ROOT / "pages" / "shared" / "show" / "page.css").read_text(encoding="utf-8").splitlines()
    keeping = [rule for rule in rules if ".st-key-verdict" in rule and "min-height" in rule]
    assert keeping
    slots = tuple(f".st-key-verdict-{name} .st-key-verdict {{" for name in ("room", "moment"))
    assert all(any(slot in rule for slot in slots) for rule in keeping)


def test_no_rule_looks_for_whatever_an_element_holds() -> None:
    """Such a rule has a browser style the whole page anew at each change: 3 s of the 4.5 that a page took to open."""
    asked = re.findall(r":has\((?:[^()]|\([^()]*\))*\)", style_rules(1.0))
    assert len(asked) > 10
    assert [each for each in asked if re.search(r"> \*.*> \*|:nth-child|> :not", each)] == []


def test_the_switch_for_large_type_stays_in_its_place_when_it_is_pressed() -> None:
    usual, large = (re.search(r"@media ([^{]*) \{\s*\.st-key-site-type \{", style_rules(by)) for by in (1.0, LARGE))
    assert usual
    assert large
    assert usual[1] == large[1] == "(min-width: 1280px)"
    assert style_rules(1.0) != style_rules(LARGE)  # other widths grow with the type
