"""The palette can be read by everyone, methods can be told apart, smoothing and escaping do what they say."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import combinations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softmerge_core.figures import style
from softmerge_core.figures.style import THEMES, Theme, colour, method_style, palette, smooth
from softmerge_core.methods import available_methods, find_method

NOT_MARKS = {"background", "grid", "axis"}
METHODS = ["soft", "average", "best_source", "ensemble", *style._PINNED]
# The page's own dark background may be a little lighter than the palette's.
BACKGROUNDS = {"light": ["#ffffff"], "dark": ["#0e1117", "#191815"]}


def luminance(hex_colour: str) -> float:
    """Relative luminance by WCAG 2.2."""
    parts = [int(hex_colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    high, low = sorted((luminance(first), luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_computed_as_defined() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#0072b2", "#ffffff") == pytest.approx(5.19, abs=0.01)


@pytest.mark.parametrize("theme", THEMES)
def test_every_mark_and_text_stands_out_from_the_background(theme: Theme) -> None:
    for name in style._COLOURS.keys() - NOT_MARKS:
        for background in BACKGROUNDS[theme]:
            ratio = contrast(colour(name, theme), background)
            assert ratio >= 4.5, f"{name} has {ratio:.2f}:1 on {background}"  # marks need only 3:1


def lab(hex_colour: str) -> tuple[float, float, float]:
    """CIE L*a*b* (D65): equal distances look about equally far apart."""
    parts = [int(hex_colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    rows = ((0.4124, 0.3576, 0.1805, 0.9505), (0.2126, 0.7152, 0.0722, 1.0), (0.0193, 0.1192, 0.9505, 1.089))
    tones = [(r * red + g * green + b * blue) / white for r, g, b, white in rows]
    x, y, z = (t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in tones)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


@pytest.mark.parametrize("theme", THEMES)
def test_methods_sources_conditions_and_classes_share_no_colour(theme: Theme) -> None:
    for (one, mine), (other, theirs) in combinations(style.SCALES.items(), 2):
        for first, second in product(mine, theirs):
            apart = math.dist(lab(colour(first, theme)), lab(colour(second, theme)))
            assert apart > 12, f"{first} ({one}) and {second} ({other}) are {apart:.1f} apart"
    for names in style.SCALES.values():
        assert min(math.dist(lab(colour(a, theme)), lab(colour(b, theme))) for a, b in combinations(names, 2)) > 12


# Who lacks one kind of cone sees linear red, green and blue so (Machado, Oliveira and Fernandes 2009, severity 1).
BLINDNESS = {
    "protanopia": ((0.1523, 1.0526, -0.2049), (0.1145, 0.7863, 0.0992), (-0.0039, -0.0481, 1.0520)),
    "deuteranopia": ((0.3673, 0.8606, -0.2280), (0.2801, 0.6725, 0.0474), (-0.0118, 0.0429, 0.9689)),
}


def seen(hex_colour: str, blindness: str) -> str:
    """The colour as it looks to somebody with this blindness."""
    parts = [int(hex_colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    mixed = [sum(a * b for a, b in zip(row, linear, strict=True)) for row in BLINDNESS[blindness]]
    back = [12.92 * v if v <= 0.0031308 else 1.055 * v ** (1 / 2.4) - 0.055 for v in (min(max(v, 0), 1) for v in mixed)]
    return "#{:02x}{:02x}{:02x}".format(*(round(255 * value) for value in back))


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("blindness", BLINDNESS)
def test_classes_are_told_apart_by_the_colour_blind(theme: Theme, blindness: str) -> None:
    hues = [lab(seen(hue, blindness)) for hue in style.class_colours(theme)]
    assert min(math.dist(a, b) for a, b in combinations(hues, 2)) > 15
    assert min(math.dist(a, b) for a, b in combinations(hues[:3], 2)) > 40  # most pictures have two or three


@pytest.mark.parametrize("theme", THEMES)
def test_every_method_and_source_is_drawn_in_a_colour_of_its_scale(theme: Theme) -> None:
    for key in METHODS:
        assert method_style(key, theme).color in [colour(name, theme) for name in style.SCALES["methods"]]
    for number in range(12):
        assert method_style(f"source:{number}", theme).color == style.source_colour(number, theme)
        assert style.source_colour(number, theme) in [colour(name, theme) for name in style.SCALES["sources"]]


@pytest.mark.parametrize("theme", THEMES)
def test_each_colour_is_used_once_so_that_themes_translate(theme: Theme) -> None:
    assert len(set(palette(theme))) == len(palette(theme))
    assert all(hex_colour == hex_colour.lower() for hex_colour in palette(theme))
    assert palette(theme)[0] == colour("background", theme)


@pytest.mark.parametrize("theme", THEMES)
def test_no_two_methods_look_alike_even_without_colour(theme: Theme) -> None:
    styles = {key: method_style(key, theme) for key in METHODS}
    assert len(set(styles.values())) == len(METHODS)
    for first, second in combinations(METHODS[:4], 2):
        assert styles[first].dash != styles[second].dash
        assert styles[first].marker != styles[second].marker
    same = [(a, b) for a, b in combinations(METHODS, 2) if styles[a].color == styles[b].color]
    assert all(styles[a].marker != styles[b].marker for a, b in same)
    assert all(styles[a].dash != styles[b].dash for a, b in same)


@pytest.fixture
def with_methods(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """A function that adds methods of the names it is given, for this test."""

    def add(*names: str) -> None:
        newcomers = {name: replace(find_method("average"), name=name, title=name, short="") for name in names}
        monkeypatch.setattr(style, "available_methods", lambda: available_methods() | newcomers)
        style._places.cache_clear()

    yield add
    style._places.cache_clear()


def test_a_method_that_ships_keeps_its_style_and_a_newcomer_gets_a_free_one(with_methods: Callable[..., None]) -> None:
    before = {key: method_style(key, "light") for key in [*available_methods(), *METHODS]}
    with_methods("aaa")
    first = method_style("aaa", "light")
    with_methods("aaa", "another", "zzz")
    after = {key: method_style(key, "light") for key in before}
    assert after == before
    assert (
        len({first, method_style("another", "light"), method_style("zzz", "light"), *before.values()})
        == len({*before.values()}) + 3
    )
    assert method_style("aaa", "light") == first


def test_there_is_a_style_for_a_hundred_more(with_methods: Callable[..., None]) -> None:
    names = [f"method {number}" for number in range(100)]
    with_methods(*names)
    assert len({method_style(name, "dark") for name in [*names, *METHODS]}) == 100 + len(METHODS)
    assert method_style("nobody knows it", "dark") == method_style("nor this", "dark")


def test_every_place_is_another_style() -> None:
    styles = [style._style_of(place, "light") for place in range(style._PLACES)]
    assert len(set(styles)) == len(styles)
    for first, second in combinations(styles[: style._CLEAR], 2):
        assert first.color != second.color or (first.dash != second.dash and first.marker != second.marker)


def test_a_method_is_the_same_in_both_themes_but_for_its_colour() -> None:
    for key in [*METHODS, "source:0", "source:7", "a method nobody knows"]:
        light, dark = method_style(key, "light"), method_style(key, "dark")
        assert (light.dash, light.marker) == (dark.dash, dark.marker)
        assert light == method_style(key, "light")
        assert light.color != dark.color


@pytest.mark.parametrize("theme", THEMES)
def test_the_template_takes_nothing_from_the_default_one(theme: Theme) -> None:
    layout = style.new_figure(theme).to_plotly_json()["layout"]
    assert layout["template"]["layout"]["paper_bgcolor"] == colour("background", theme)
    assert all(trace.keys() <= {"type", "colorbar"} for own in layout["template"]["data"].values() for trace in own)
    assert "#000001" not in str(layout)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50), st.floats(0, 0.99))
def test_smoothing_agrees_with_its_definition(values: list[float], weight: float) -> None:
    for t, smoothed in enumerate(smooth(values, weight)):
        weights = [weight ** (t - s) for s in range(t + 1)]
        expected = sum(w * x for w, x in zip(weights, values, strict=False)) / sum(weights)
        assert smoothed == pytest.approx(expected, rel=1e-6, abs=1e-6)


def test_smoothing_keeps_constants_and_gaps() -> None:
    assert smooth([2.0] * 5, 0.9) == pytest.approx([2.0] * 5)
    gapped = smooth([1.0, math.nan, 1.0], 0.5)
    assert math.isnan(gapped[1])
    assert [gapped[0], gapped[2]] == [1.0, 1.0]
    assert smooth([3.0, 5.0], 0.0) == [3.0, 5.0]
    with pytest.raises(ValueError, match="smoothing weight"):
        smooth([1.0], 1.0)


def test_names_are_shown_letter_by_letter() -> None:
    assert style.escape("<b>A & B</b>") == "&lt;b&gt;A &amp; B&lt;/b&gt;"
    assert style.escape("two\nlines ") == "two lines"
    assert style.escape("  ") == "(no name)"
    assert len(style.escape("x" * 100, 24)) == 24


@given(st.lists(st.text(max_size=8), max_size=12))
def test_names_become_different_and_keep_their_number(names: list[str]) -> None:
    labels = style.distinct(names)
    assert len(set(labels)) == len(labels) == len(names)
    assert not any("<" in label or ">" in label for label in labels)


@given(st.integers(1, 5000), st.integers(2, 400))
def test_thinning_keeps_the_ends(count: int, most: int) -> None:
    kept = style.thin(count, most)
    assert len(kept) == min(count, most)
    assert kept[0] == 0
    assert kept[-1] == count - 1
    assert kept == sorted(set(kept))
