"""The numbers of a robustness run as tables: every method in every case and seed, and the sources that are to blame."""

from collections.abc import Sequence

from softmerge_core.events import BEST, Blame, Event, Score, newest
from softmerge_core.experiments.robustness.spec import RobustnessSpec, attack_of
from softmerge_core.experiments.tables import MALICIOUS, Table, Value
from softmerge_core.methods import find_method
from softmerge_core.numbers import usual_spaces


def tables(spec: RobustnessSpec, events: Sequence[Event]) -> list[Table]:
    """Accuracies by method, number of malicious sources, strength and seed; gates and gains by source."""
    attack = attack_of(spec.attack)
    strength = f"Strength ({attack.unit})" if attack.graded else "Strength"
    head = ("Method", "Malicious sources", usual_spaces(strength), "Seed")
    measures = ("Test acc. (%)", "Loss (nats)", "ECE (%)", "Seconds", "Peak (MB)", "Note")
    return [
        Table(
            "accuracies",
            "Accuracies",
            "A table (CSV): every method with each number of malicious sources, strength and seed.",
            (*head, *measures),
            [_row(score, graded=attack.graded) for score in _newest(events)],
        ),
        Table(
            "sources",
            "Sources",
            "A table (CSV): each source's mean gate in the chosen case, and what leaving it out gains.",
            ("Source", "Malicious", "Mean gate z", "Gain without it (points)"),
            _blame(events),
        ),
    ]


def _newest(events: Sequence[Event]) -> list[Score]:
    """Of several scores of one method, case and seed the last one: a resumed run repeats those it already had."""
    scores = [event for event in events if isinstance(event, Score)]
    return list({(one.series, one.malicious, one.strength, one.seed): one for one in scores}.values())


def _row(score: Score, *, graded: bool) -> list[Value]:
    numbers = [100 * score.accuracy, score.loss, 100 * score.calibration]
    if score.series == BEST:
        return ["Best honest source", None, None, None, *numbers, None, None, "lowest validation loss"]
    strength = score.strength if graded and score.malicious else None
    case: list[Value] = [find_method(score.series).title, score.malicious, strength, score.seed]
    return [*case, *numbers, score.took, score.memory, score.problem]


def _blame(events: Sequence[Event]) -> list[list[Value]]:
    blame = newest(events, Blame)
    if blame is None:
        return []
    columns = zip(blame.sources, blame.malicious, blame.gates, blame.gains, strict=True)
    return [[source, MALICIOUS[bad], gate, 100 * gain] for source, bad, gate, gain in columns]
