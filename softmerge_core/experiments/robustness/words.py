"""What malicious sources did, in plain sentences and table cells."""

from collections.abc import Iterable, Mapping, Sequence
from math import isfinite
from typing import Any

from softmerge_core.events import BEST, Blame, Event, Score
from softmerge_core.experiments.differences import resolution
from softmerge_core.experiments.robustness.spec import RobustnessSpec, attack_of, chosen_case, strength_of
from softmerge_core.experiments.samples import samples_of
from softmerge_core.experiments.words import clipped, listed, percent, plural, points
from softmerge_core.methods import find_method
from softmerge_core.numbers import number_text, points_text, range_text
from softmerge_core.statistics import Measured, bar, difference

CLOSED = 0.05  # a mean gate up to this is called closed
NEAR = 0.01  # accuracy (0-1): a method that is at most this far below the best honest source survives
NO_GAIN = 0.0005  # accuracy (0-1): a smaller gain is called none


def chosen_scores(events: Iterable[Event], spec: RobustnessSpec) -> dict[str, list[Score]]:
    """Each method's scores in the chosen case, one a seed; of several the newest."""
    case = chosen_case(spec)
    found: dict[str, dict[int, Score]] = {}
    for event in events:
        if isinstance(event, Score) and event.series != BEST and (event.malicious, event.strength) == case:
            found.setdefault(event.series, {})[event.seed] = event
    return {key: list(by_seed.values()) for key, by_seed in found.items()}


def honest_score(events: Sequence[Event]) -> Score | None:
    """The score of the best source that stays honest (lowest validation loss), once it is known."""
    return next((e for e in reversed(events) if isinstance(e, Score) and e.series == BEST), None)


def best_honest(events: Sequence[Event]) -> float | None:
    """Test accuracy (0-1) of the best source that stays honest, once it is known."""
    found = honest_score(events)
    return found.accuracy if found else None


def about(spec: RobustnessSpec) -> str:
    """The attack and the chosen case: "Extreme weights, strength 50 (factor); 1 of 4 sources malicious"."""
    attack = attack_of(spec.attack)
    strength = f", strength {number_text(strength_of(spec), 6)} ({attack.unit})" if attack.graded else ""
    return f"{attack.title}{strength}; {spec.malicious} of {len(spec.sources)} sources malicious"


def number_sentence(spec: RobustnessSpec) -> str:
    """The number of malicious sources in the chosen case, and what the bars are."""
    return f"With {spec.malicious} of {len(spec.sources)} sources malicious.{_bars(spec)}"


def strength_sentence(spec: RobustnessSpec) -> str:
    """The strength of the attack in the chosen case, and what the bars are."""
    graded = attack_of(spec.attack).graded
    return (
        f"{f'Strength {number_text(strength_of(spec), 6)}.' if graded else 'This attack has no strength.'}{_bars(spec)}"
    )


def _bars(spec: RobustnessSpec) -> str:
    """What the bars of several seeds stand for."""
    if spec.seeds == 1:
        return ""
    samples = samples_of(spec.data.dataset)
    n = f" and n = {samples:,} test samples" if samples else ""
    return f" Bars: 95\u00a0% interval, {spec.seeds} seeds{n}, where the attack or the method is random."


def no_strengths(spec: RobustnessSpec) -> str:
    """The reason why the attack is not tried at several strengths."""
    if spec.malicious == 0:
        return "No source is malicious, so there is no strength to vary"
    return "This attack has no strength to vary"


def sentence(spec: RobustnessSpec, scores: Iterable[Event], honest: Score) -> str:
    """Say which methods are not clearly below the ``honest`` best source in the chosen case.

    A method survives if it is at most a point below, or cannot be told apart from it on the same test samples.
    """
    found, best = chosen_scores(scores, spec), as_measured([honest], samples_of(spec.data.dataset))
    tested = {key: as_measured(scores, samples_of(spec.data.dataset)) for key, scores in found.items()}
    sound = {key: difference(one, best) for key, one in tested.items() if isfinite(one.mean)}
    survive = {key: each for key, each in sound.items() if each.gap >= -NEAR or not each.told_apart}
    of = f"With {spec.malicious} of {len(spec.sources)} sources malicious"
    source = f"the honest source with the lowest validation loss ({percent(honest.accuracy)})"
    if not survive:
        return f"{of} every method is clearly below {source}. {_seeds(tested)}."
    limits = resolution([each for each in survive.values() if not each.told_apart])
    names = listed([find_method(key).title for key in survive])
    passed = [find_method(key).title for key, each in survive.items() if each.told_apart and each.gap > 0]
    above = f"; clearly above it: {listed(passed)}" if passed else ""
    reach = f"{len(survive)} of {len(found)} methods are not clearly below {source}{limits}"
    return f"{of}, {reach}: {names}{above}. {_seeds(tested)}."


def as_measured(scores: Sequence[Score], samples: int = 0) -> Measured:
    """The accuracies of one method in one case, one a seed; NaN where one of its networks failed."""
    return Measured(tuple(each.accuracy for each in scores), samples, tuple(each.correct for each in scores))


def _seeds(tested: Mapping[str, Measured]) -> str:
    """How often what is random was repeated."""
    most = max((one.seeds for one in tested.values()), default=1)
    return "One seed" if most == 1 else plural(most, "seed")


def survival_sentence(events: Sequence[Event], spec: RobustnessSpec, result: dict[str, Any] | None) -> str:
    """Say which methods survive, or while the run is live, which of those that are done."""
    found, best = chosen_scores(events, spec), honest_score(events)
    if not found or best is None:
        return str(result.get("reason", "")) if result else "Waiting for the first method."
    more = "" if len(found) == len(spec.methods) else f" ({len(found)} of {len(spec.methods)} methods so far)"
    return f"{sentence(spec, events, best)}{more}"


def blame_sentence(blame: Blame | None) -> str:
    """Say on which sources the gates closed, whether those are malicious, and what leaving one out gains."""
    if blame is None:
        return "Waiting for the gates of a soft merge."
    closed = {k for k, gate in enumerate(blame.gates) if not gate > CLOSED}
    malicious = {k for k, bad in enumerate(blame.malicious) if bad}
    return f"{_closed(blame, closed, malicious)} {_gain(blame)}".strip()


def _closed(blame: Blame, closed: set[int], malicious: set[int]) -> str:
    if not closed:
        if not malicious:
            return "No source is malicious, and the gates closed on none."
        kept = _names(blame, malicious)
        return f"The gates closed on none, though {kept} {_is(malicious)} malicious ({_gates(blame, malicious)})."
    text = f"The gates closed on {_names(blame, closed)}"
    if closed == malicious:
        return f"{text}, which {_is(closed)} the malicious {'one' if len(closed) == 1 else 'ones'}."
    parts = [text]
    if wrongly := closed - malicious:
        some = f"of which {_names(blame, wrongly)}" if closed & malicious else "which"
        parts.append(f"{some} {_is(wrongly)} honest")
    if missed := malicious - closed:
        parts.append(f"but not on {_names(blame, missed)}, which {_is(missed)} malicious ({_gates(blame, missed)})")
    return f"{', '.join(parts)}."


def _gain(blame: Blame) -> str:
    """The source without which the plain average gains most."""
    known = [k for k, gain in enumerate(blame.gains) if isfinite(gain)]
    if not known:
        return ""
    most = max(known, key=lambda k: blame.gains[k])
    if blame.gains[most] < NO_GAIN:
        return "Leaving any single source out of the plain average gains nothing."
    name, mark = _name(blame, most), "malicious" if blame.malicious[most] else "honest"
    gain = points_text(blame.gains[most])
    return f"Leaving out {name} ({mark}) gains the plain average most: {gain} on validation data."


def _name(blame: Blame, which: int) -> str:
    return clipped(blame.sources[which], 40)


def _names(blame: Blame, which: set[int]) -> str:
    return listed([_name(blame, k) for k in sorted(which)])


def _is(which: set[int]) -> str:
    return "is" if len(which) == 1 else "are"


def _gates(blame: Blame, which: set[int]) -> str:
    values = ", ".join(f"{blame.gates[k]:.2f}" for k in sorted(which))
    return f"mean gate{'' if len(which) == 1 else 's'} {values}"


def case_rows(events: Sequence[Event], spec: RobustnessSpec) -> list[tuple[str, str, str, str]]:
    """Per method of the chosen case: (its key, test accuracy, points above the best honest source, a note)."""
    found, best = chosen_scores(events, spec), best_honest(events)
    return [_case_row(key, found.get(key, []), best) for key in spec.methods]


def _case_row(key: str, scores: Sequence[Score], best: float | None) -> tuple[str, str, str, str]:
    if not scores:
        return key, "", "", "waiting"
    failed = next((each for each in scores if each.problem or not isfinite(each.accuracy)), None)
    if failed:
        return key, "none", "", (failed.problem[:1].upper() + failed.problem[1:])
    mean = as_measured(scores).mean
    return key, percent(mean), "" if best is None else points(mean - best), _spread(scores)


def _spread(scores: Sequence[Score]) -> str:
    """Of how many seeds a row is the mean, and the interval; empty for one."""
    found = bar(as_measured(scores)) if len(scores) > 1 else None
    if found is None:
        return ""
    return f"Mean of {len(scores)} seeds, 95\u00a0% interval {range_text(percent(found.low), percent(found.high))}"
