"""The glossary: each word is explained where it is used, in a way that needs no mouse."""

import ast
from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from pages.shared.show.terms import TERMS, explained
from tests.pages.conftest import ROOT

PAGES = ("compare", "connectivity", "federated", "merge", "models", "robustness", "scope")


def used() -> set[str]:
    """The terms that pages name: in ``terms=(...)`` of a picture, or in a call of ``explained``."""
    found: set[str] = set()
    for page in PAGES:
        for path in (ROOT / "pages" / page).glob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.keyword) and node.arg == "terms":
                    held = [value.value for value in ast.walk(node.value) if isinstance(value, ast.Constant)]
                    found |= {str(value) for value in held if value != "loss"}
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "explained":
                    found |= {str(value.value) for value in node.args if isinstance(value, ast.Constant)}
    return found


def test_every_term_is_explained_somewhere_and_none_is_unknown() -> None:
    assert used() | {"logits"} == set(TERMS)  # logits: in the help of the one setting that has them


@pytest.mark.parametrize("name", sorted(TERMS))
def test_explanations_are_sentences(name: str) -> None:
    assert TERMS[name].endswith(".")
    assert explained(name) == f"**{name}**: {TERMS[name]}"
    assert explained() is None


def test_a_picture_offers_its_words_beside_its_title(open_app: Callable[..., AppTest]) -> None:
    page = open_app()
    helps = {str(text.value).partition(".")[0]: text.help for text in page.markdown if text.help}
    assert "**P(open)**" in helps["**Gates"]
    assert "**z**" in helps["**Gates"]
    assert "**nats**" in helps["**Losses"]
