"""Numbers, lists and names read well in a sentence."""

import ast
import math
import re
from itertools import pairwise
from pathlib import Path

import pytest

from softmerge_core.events import Progress, Stage
from softmerge_core.experiments.words import (
    clipped,
    letter,
    listed,
    percent,
    plural,
    points,
    progress_sentence,
    sentence,
    signed,
    source_text,
    span_text,
    steps_done,
)


@pytest.mark.parametrize(
    ("step", "seconds", "sentence"),
    [
        (0, 0, "Step 0 of 400."),
        (100, 1, "Step 100 of 400, about 3\u00a0s left."),
        (1, 1, "Step 1 of 400, about 7\u00a0min left."),
        (1, 60, "Step 1 of 400, about 6.7\u00a0h left."),
        (400, 9, "Step 400 of 400."),
    ],
)
def test_progress(step: int, seconds: float, sentence: str) -> None:
    assert progress_sentence([Progress(step=step, total=400, seconds=seconds)]) == sentence
    assert progress_sentence([]) == "Getting ready."


def stage(number: int, stages: int) -> Stage:
    return Stage(step=400 * number, stage=f"stage-{number}", title="t", stages=stages)


def test_steps_of_one_stage_and_of_all_are_told_apart() -> None:
    events = [stage(0, 4), stage(1, 4), Progress(step=610, total=1600)]
    assert progress_sentence(events) == "Stage 2 of 4, step 610 of 1,600."
    assert progress_sentence([events[0], *events]) == "Stage 2 of 4, step 610 of 1,600."  # told again by a resumed run
    for alone in (stage(0, 1), stage(0, 0)):
        assert progress_sentence([alone, events[2]]) == "Step 610 of 1,600."
    assert steps_done(events) == "610 of 1,600 steps"
    done = [*(stage(number, 0) for number in range(4)), Progress(step=1600, total=1600)]
    assert steps_done(done) == "1,600 of 1,600 steps (4 stages of 400)"
    assert steps_done(done[3:]) == "1,600 of 1,600 steps"
    assert steps_done([]) == ""


def test_numbers_are_rounded_and_unknown_ones_are_called_so() -> None:
    assert [percent(share) for share in (0.8462, 1, None, math.nan)] == [
        "84.6\u00a0%",
        "100.0\u00a0%",
        "unknown",
        "unknown",
    ]
    assert percent(0.5) == "50.0\u00a0%"
    assert [signed(value) for value in (1.24, -0.36, 0.04, -0.04)] == ["+1.2", "\u22120.4", "0.0", "0.0"]
    assert points(-0.034) == "\u22123.4"


def test_things_are_counted_and_listed() -> None:
    assert [plural(number, "layer") for number in (0, 1, 1200)] == ["0 layers", "1 layer", "1,200 layers"]
    assert [listed(names) for names in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == ["", "a", "a and b", "a, b and c"]


@pytest.mark.parametrize(
    ("text", "limit", "shown"),
    [
        ("short", 5, "short"),
        (" on\n two\tlines ", 20, "on two lines"),
        ("a long name", 7, "a long\u2026"),
        ("a longer name", 10, "a longer\u2026"),
        ("no word is broken", 14, "no word is\u2026"),
        ("except-where-there-is-no-other-way", 14, "except-where-\u2026"),
        ("it, may, stop, here", 10, "it, may\u2026"),
        ("50.0\u00a0%", 9, "50.0\u00a0%"),
        ("Source 2, 20 % label noise", 40, "Source 2, 20\u00a0% label noise"),
        ("source-2", 40, "Source 2"),
        (" \n", 9, "(no name)"),
    ],
)
def test_a_name_fits_its_line(text: str, limit: int, shown: str) -> None:
    assert clipped(text, limit) == shown


def test_sources_that_a_run_trains_are_letters() -> None:
    assert [letter(number) for number in range(3)] == ["A", "B", "C"]


def test_a_sentence_begins_with_a_capital_and_ends_with_a_stop() -> None:
    assert [sentence(text) for text in ("it is so", " Is it?", "It is.")] == ["It is so.", "Is it?", "It is."]


@pytest.mark.parametrize(
    ("held", "shown"),
    [
        ("source-1", "Source 1"),
        ("source-2 (sign_flip)", "Source 2, signs flipped"),
        ("source-2 (2)", "Source 2 (2)"),
        ("source-3 and source-4.", "Source 3 and Source 4."),
        ("source-1-extreme-values", "source-1-extreme-values"),  # a model of the reader's own
        ("moons/source-1", "moons/source-1"),
        ("source-1.safetensors", "source-1.safetensors"),
        ("source 1", "source 1"),
        ("source 'source-2 (nan)': NaN", "Source 2, NaN: NaN"),
        ("source 'source-2-nan': NaN", "source 'source-2-nan': NaN"),
    ],
)
def test_sources_are_called_as_on_their_cards(held: str, shown: str) -> None:
    assert source_text(held) == shown


ROOT = Path(__file__).parents[2]
READ = ("pages", *(f"softmerge_core/{room}" for room in ("experiments", "figures", "federated", "zoo")))


def lower_case_sources(code: str) -> list[str]:
    """The texts of a file, other than docstrings, that name a source "source 2" or "source {number}"."""
    tree, found = ast.parse(code), []
    told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = [part.value if isinstance(part, ast.Constant) else part for part in node.values]
            named = [part for part, after in pairwise(parts) if not quoted(after) and ends_in_source(part)]
            found += [f"{part}{{}}" for part in named]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told:
            found += re.findall(r"\bsource (?:[0-9]+|[A-Z])\b(?!\().*", node.value)
    return found


def ends_in_source(part: object) -> bool:
    return isinstance(part, str) and re.search(r"\bsource $", part) is not None


def quoted(part: object) -> bool:
    """A name as errors quote it, which ``source_text`` makes readable."""
    return isinstance(part, ast.FormattedValue) and part.conversion == ord("r")


def test_no_text_names_a_source_in_lower_case() -> None:
    code = 'f"kept from source {n}", "source A", "a source", f"source {name!r}", "Source 2"\n"""source 2"""'
    assert lower_case_sources(code) == ["kept from source {}", "source A"]
    files = [path for room in READ for path in (ROOT / room).rglob("*.py")]
    assert len(files) > 100
    found = {str(path.relative_to(ROOT)): lower_case_sources(path.read_text(encoding="utf-8")) for path in files}
    assert {path: texts for path, texts in found.items() if texts} == {}


@pytest.mark.parametrize(
    ("least", "most", "text"),
    [
        (10, 12, "about 11\u00a0s"),
        (1, 4, "about 2\u00a0s"),
        (20, 80, "20 to 80\u00a0s"),
        (20, 240, "up to 4\u00a0min"),
        (87, 240, "1 to 4\u00a0min"),
        (110, 130, "about 2\u00a0min"),
        (1800, 9000, "0.5 to 2.5\u00a0h"),
        (60, 9000, "up to 2.5\u00a0h"),
    ],
)
def test_a_time_between_two_is_told_as_far_as_it_is_known(least: float, most: float, text: str) -> None:
    assert span_text(least, most) == text


def test_what_the_run_knows_of_its_end_is_told_rather_than_its_mean_pace() -> None:
    told = Progress(step=10, total=400, seconds=100.0, least=60.0, most=300.0)
    assert progress_sentence([told]) == "Step 10 of 400, 1 to 5\u00a0min left."
    ending = Progress(step=400, total=400, seconds=100.0, least=20.0, most=20.0)
    assert progress_sentence([ending]) == "Step 400 of 400, about 20\u00a0s left."
