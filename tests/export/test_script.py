"""The script has the same code whatever a person called things, and scales samples as the data say."""

import ast
from functools import cache
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from softmerge_core.export.scaling import Scaling
from softmerge_core.export.script import Seen, script
from softmerge_core.networks import build_network
from tests.export.subjects import EVIL

KIND = ("mlp", (3,), 2)
NETWORK = build_network(*KIND, seed=0).eval()
UNKNOWN = Scaling()


def of(title: str = "Plain", scaling: Scaling = UNKNOWN, seen: Seen | None = None) -> str:
    return script("model", title, KIND, NETWORK, scaling, seen)


def without_names(text: str) -> str:
    """The code with the values of its constants left out."""
    tree = ast.parse(text)
    for node in tree.body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") in ("TITLE", "CLASS_NAMES"):
            ast.literal_eval(node.value)
            node.value = ast.Constant(0)
    return ast.dump(tree)


@given(st.one_of(st.text(), st.just(EVIL)))
def test_titles_and_classes_are_never_code(text: str) -> None:
    named, (expected, quotes) = of(text, Scaling(names=(text, "other"))), plain()
    assert without_names(named) == expected
    assert named.count('"""') == quotes or '"""' in text


@cache
def plain() -> tuple[str, int]:
    """The code with plain names, without them, and how many triple quotes there are."""
    return without_names(of("Plain", Scaling(names=("a", "b")))), of().count('"""')


def test_names_come_back_letter_by_letter() -> None:
    made = run(of(EVIL, Scaling(names=(EVIL, "two"))))
    assert made["TITLE"] == EVIL
    assert made["CLASS_NAMES"] == [EVIL, "two"]


def run(text: str) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "script", "__file__": "load_model.py"}
    exec(compile(text, "load_model.py", "exec"), names)
    return names


@pytest.mark.parametrize(
    ("mean", "sd", "expected"),
    [(2.0, 4.0, [-0.25, 0.0, 0.5]), ([1.0, 2.0, 4.0], [1.0, 1.0, 2.0], [0.0, 0.0, 0.0])],
)
def test_raw_samples_are_brought_to_scale(mean: Any, sd: Any, expected: list[float]) -> None:
    made = run(of(scaling=Scaling(mean, sd)))
    assert made["scaled"](torch.tensor([[1.0, 2.0, 4.0]])).tolist() == [expected]
    assert "must be scaled" not in of(scaling=Scaling(mean, sd))


def test_where_the_scale_is_not_known_the_script_says_so_and_what_was_seen() -> None:
    text = of(seen=Seen(0.125, 1.5, -3.25, 7.0))
    assert "# Samples must be scaled as the training data were; the data do not say how" in text
    assert "# The training inputs had mean 0.125 and SD 1.5, and lay between -3.25 and 7." in text
    assert run(text)["scaled"](3) == 3
    assert run(of())["scaled"](3) == 3


def test_a_network_whose_outputs_are_not_finite_has_nothing_to_compare() -> None:
    broken = build_network(*KIND, seed=0).eval()
    torch.nn.init.constant_(next(broken.parameters()), float("nan"))
    text = script("model", "Broken", KIND, broken, Scaling())
    assert "expected = torch.tensor([])" in text
    run(text)["check"](broken)


def test_lines_are_no_longer_than_usual_and_the_file_says_what_it_needs() -> None:
    text = of()
    assert max(map(len, text.splitlines())) <= 120
    assert "Needs torch.\n" in text
    assert "softmerge" not in text
