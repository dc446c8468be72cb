"""Choosing ways to merge."""

from pages.shared.choose.methods import _about, nothing_to_do
from pages.shared.choose.sources import PickedSource
from softmerge_core.methods import available_methods
from softmerge_core.settings import SourceSpec

TWO = [PickedSource(SourceSpec(model=f"family/{name}"), name) for name in ("a", "b")]


def test_what_is_missing_is_asked_for_sources_first() -> None:
    assert nothing_to_do([], []) == "Choose two or more sources: 0 are chosen"
    assert nothing_to_do(TWO[:1], ["average"]) == "Choose two or more sources: 1 is chosen"
    assert nothing_to_do(TWO, []) == "Choose one method or more"
    assert nothing_to_do(TWO, ["average"]) == ""


def test_what_a_method_does_leads_to_its_paper() -> None:
    assert _about(available_methods()["ties"]).endswith(", [arXiv 2306.01708](https://arxiv.org/abs/2306.01708)*")
