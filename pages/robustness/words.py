"""What malicious sources did, in sentences; names are shown letter by letter."""

from collections.abc import Sequence
from math import isfinite
from typing import Any

from pages.shared.show.text import plain
from softmerge_core.events import Blame, Event, Score
from softmerge_core.experiments.compare.spec import BEST
from softmerge_core.experiments.robustness.spec import RobustnessSpec, sentence, strength_of
from softmerge_core.experiments.words import percent

CLOSED = 0.05  # a mean gate up to this is called closed


def chosen_scores(events: Sequence[Event], spec: RobustnessSpec) -> dict[str, Score]:
    """By method, the newest score in the case the reader has chosen."""
    strength = strength_of(spec)
    return {
        event.series: event
        for event in events
        if isinstance(event, Score)
        and event.series != BEST
        and (event.malicious, event.strength) == (spec.malicious, strength)
    }


def best_honest(events: Sequence[Event]) -> float | None:
    """Test accuracy (0-1) of the best source that stays honest, once it is known."""
    return next((e.accuracy for e in reversed(events) if isinstance(e, Score) and e.series == BEST), None)


def survival_sentence(events: Sequence[Event], spec: RobustnessSpec, result: dict[str, Any] | None) -> str:
    """Which methods survive; while the run is live, of those that are there so far."""
    if result:
        return plain(str(result.get("reason", "")), 600)
    found, best = chosen_scores(events, spec), best_honest(events)
    if not found or best is None:
        return "Waiting for the first method."
    rows = [score.model_dump() for score in found.values()]
    more = "" if len(found) == len(spec.methods) else f" ({len(found)} of {len(spec.methods)} methods so far)"
    return plain(sentence(spec, rows, best), 600) + more


def blame_sentence(blame: Blame | None) -> str:
    """On whom the gates closed, whether those are the malicious ones, and what leaving one out gains."""
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
        parts.append(
            f"of which {_names(blame, wrongly)} {_is(wrongly)} honest" if closed & malicious else _honest(closed)
        )
    if missed := malicious - closed:
        parts.append(f"but not on {_names(blame, missed)}, which {_is(missed)} malicious ({_gates(blame, missed)})")
    return f"{', '.join(parts)}."


def _honest(closed: set[int]) -> str:
    return f"which {_is(closed)} honest"


def _gain(blame: Blame) -> str:
    """Leaving out which source gains most in the plain average."""
    known = [k for k, gain in enumerate(blame.gains) if isfinite(gain)]
    if not known:
        return ""
    most = max(known, key=lambda k: blame.gains[k])
    if blame.gains[most] < 0.0005:
        return "Leaving any single source out of the plain average gains nothing."
    name, mark = plain(blame.sources[most], 40), "malicious" if blame.malicious[most] else "honest"
    points = 100 * blame.gains[most]
    return f"Leaving out {name} ({mark}) gains the plain average most: {points:.1f} points on validation data."


def _names(blame: Blame, which: set[int]) -> str:
    names = [plain(blame.sources[k], 40) for k in sorted(which)]
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _is(which: set[int]) -> str:
    return "is" if len(which) == 1 else "are"


def _gates(blame: Blame, which: set[int]) -> str:
    values = ", ".join(f"{blame.gates[k]:.2f}" for k in sorted(which))
    return f"mean gate{'' if len(which) == 1 else 's'} {values}"


def case_rows(events: Sequence[Event], spec: RobustnessSpec) -> list[tuple[str, str, str, str]]:
    """(method's key, test accuracy, points against the best honest source, why there is nothing) per method."""
    found, best = chosen_scores(events, spec), best_honest(events)
    return [_case_row(key, found.get(key), best) for key in spec.methods]


def _case_row(key: str, score: Score | None, best: float | None) -> tuple[str, str, str, str]:
    if score is None:
        return key, "", "", "waiting"
    if score.problem or not isfinite(score.accuracy):
        return key, "none", "", (score.problem[:1].upper() + score.problem[1:])
    points = "" if best is None else f"{100 * (score.accuracy - best):+.1f}".replace("-", "−")
    return key, percent(score.accuracy), points, ""
