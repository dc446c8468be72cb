"""Several runs of one kind beside each other: the settings in which they differ, and how good each network is."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from softmerge_core.experiments.base import Spec
from softmerge_core.experiments.describe import facts_of, what_made
from softmerge_core.experiments.merge.words import measured
from softmerge_core.experiments.words import letter, listed, points
from softmerge_core.statistics import Measured, difference

FEWEST, MOST = 2, 6  # runs that are set beside each other
ABSENT = "–"


def differing(specs: Sequence[Spec]) -> list[tuple[str, list[str]]]:
    """For each setting in which specs of one kind differ, its name and its value in each; "–" where one has none."""
    facts = [facts_of(spec.settled()) for spec in specs]
    keys = dict.fromkeys(key for found in facts for key in found)
    rows = []
    for key in keys:
        values = [found[key].value if key in found else ABSENT for found in facts]
        if len(set(values)) > 1:
            fact = next(found[key] for found in facts if key in found)
            rows.append((_named(fact.words, fact.value), values))
    heads = [what_made(spec).partition(";")[0] for spec in specs]
    return ([("sources", heads)] if len(set(heads)) > 1 else []) + rows


def _named(words: str, value: str) -> str:
    """The name of a setting in the phrase that tells it with its value."""
    return words.removesuffix(value).removeprefix(value).strip(" ,:") or words


def merged(result: Mapping[str, Any] | None) -> Measured | None:
    """The test accuracy of the merged network of a merge's result; None where it is not known."""
    if not result or "accuracy" not in result or "samples" not in result:
        return None
    return measured(result, "soft", result["samples"]["test"])


def against_first(networks: Sequence[Measured | None], same_data: bool) -> list[str]:
    """In words, how each network stands to the first, on the same test samples; of the first itself nothing."""
    first = networks[0] if networks else None
    return [""] + [_against(network, first, same_data) for network in networks[1:]]


def _against(network: Measured | None, first: Measured | None, same_data: bool) -> str:
    if network is None or first is None:
        return ""
    if not same_data:
        return "other test samples"
    found = difference(network, first)
    if found.same:
        return "the same samples right"
    told = "" if found.told_apart else ", not told apart"
    return f"{points(found.gap)} points ({points(found.low)} to {points(found.high)}){told}"


def beside_sentence(networks: Sequence[Measured | None], same_data: bool) -> str:
    """Which of the merged networks is best, and whether the test samples can tell it from the others."""
    known = [(letter(place), each) for place, each in enumerate(networks) if each]
    known = [(name, each) for name, each in known if isfinite(each.mean)]
    if len(known) < FEWEST:
        return "Fewer than two of these runs have a merged network to compare."
    if not same_data:
        return "These runs were tested on other samples, so their accuracies cannot be compared one to one."
    best_name, best = max(known, key=lambda pair: pair[1].mean)
    rivals = [name for name, each in known if name != best_name and not difference(best, each).told_apart]
    said = f"{best_name} is highest on the test samples ({100 * best.mean:.1f}\u00a0%)"
    if rivals:
        return f"{said}, but {listed(rivals)} cannot be told apart from it. One seed each."
    return f"{said}, and told apart from each of the others. One seed each."
