"""The matching of two named models is the engine's own, whatever order the second one stands in at first."""

import json

import pytest
import torch

from softmerge_core.__main__ import main
from softmerge_core.alignment import align, apply, matching, permutation_groups
from softmerge_core.alignment.models import match_models
from softmerge_core.errors import NotFoundError, SettingsError, SourceError
from softmerge_core.zoo import load_family

FAMILY = "spirals-mlp-independent"
ONE, OTHER = f"{FAMILY}/source-1", f"{FAMILY}/source-2"


def test_the_order_is_the_one_by_which_align_moves() -> None:
    first, second = load_family(FAMILY).sources[:2]
    found = matching(first, second)
    moved, aligned = apply(second, found), align([first, second])[1]
    assert all(torch.equal(a, b) for a, b in zip(moved.parameters(), aligned.parameters(), strict=True))
    told = match_models(ONE, OTHER)
    assert {group["name"]: group["order"] for group in told["groups"]} == {n: o.tolist() for n, o in found.items()}
    assert told["seconds"] > 0


def test_a_hidden_order_is_found_and_printed(capsys: pytest.CaptureFixture[str]) -> None:
    hidden = [torch.randperm(32, generator=torch.Generator().manual_seed(seed)).tolist() for seed in (1, 2)]
    assert main(["zoo", "match", ONE, ONE, "--orders", json.dumps(hidden)]) == 0
    groups = json.loads(capsys.readouterr().out)["groups"]
    assert [group["name"] for group in groups] == [
        group.name for group in permutation_groups(load_family(FAMILY).sources[0])
    ]
    for group, order in zip(groups, hidden, strict=True):
        assert [order[place] for place in group["order"]] == list(range(32))


@pytest.mark.parametrize("junk", [[1], "ab", {"a": 1}, [[0.5]], [["x"]], 3, None, [[], [], []], [[10**30]]])
def test_what_is_no_list_of_orders_is_refused(junk: object) -> None:
    with pytest.raises(SettingsError, match="expected at most 2 lists of numbers"):
        match_models(ONE, ONE, junk)  # type: ignore[arg-type]


def test_what_cannot_be_matched_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SettingsError, match="expected a permutation of 0 to 31"):
        match_models(ONE, ONE, [[0, 1]])
    with pytest.raises(SourceError, match="spirals-mlp-wide/source-1"):
        match_models(ONE, "spirals-mlp-wide/source-1")
    with pytest.raises(NotFoundError, match="nothing"):
        match_models(ONE, "nothing/x")
    assert main(["zoo", "match", ONE, ONE, "--orders", "[["]) == 2
    assert "orders: expected JSON, got [[" in capsys.readouterr().err
