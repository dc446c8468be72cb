"""The events of a scope run, as far as verdicts, sentences and pictures need them. Loads no torch."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from softmerge_core.events import Barrier, Evaluation, Event, Histogram, Scopes, WeightPath

SIDES = {"plain": "Plain", "aligned": "Aligned"}  # key -> title: without and with scope alignment


@dataclass
class Told:
    """The barriers and accuracies of a run so far. ``epochs``: of all stages; ``sources``: their number."""

    epochs: int
    sources: int
    barriers: dict[tuple[str, int], float] = field(default_factory=dict)  # (side, epoch): error, 0-1
    scores: dict[tuple[str, int], float] = field(default_factory=dict)  # (series, epoch): accuracy, 0-1

    def take(self, event: Event) -> None:
        """Remember one event."""
        if isinstance(event, Barrier):
            self.barriers[event.series, event.step] = event.error
        elif isinstance(event, Evaluation):
            self.scores[event.series, event.step] = event.accuracy

    def read(self, events: Iterable[Event]) -> "Told":
        """Remember all ``events``; returns itself."""
        for event in events:
            self.take(event)
        return self

    @property
    def step(self) -> int:
        """The last epoch at which anything was measured."""
        return max((step for _, step in self.barriers), default=0)

    def both(self) -> int:
        """The last epoch at which both sides were measured; 0 while there is none but the start."""
        plain, aligned = ({step for side, step in self.barriers if side == name} for name in SIDES)
        return max(plain & aligned, default=0)

    def accuracy(self, side: str, step: int) -> float | None:
        """Mean accuracy (0-1) of a side's sources after ``step`` epochs, once all are known."""
        found = [self.scores.get((f"{side}:{number}", step)) for number in range(self.sources)]
        known = [value for value in found if value is not None]
        return sum(known) / len(known) if len(known) == self.sources else None


def source_key(series: str) -> tuple[str, int] | None:
    """("plain", 0) of "plain:0"; None for a series that belongs to no source."""
    side, _, number = series.partition(":")
    return (side, int(number)) if side in SIDES and number.isdigit() else None


def layers_of(events: Sequence[Event]) -> tuple[str, ...]:
    """The weight tensors that have a scope, in the network's order; none before the first scopes."""
    return next((event.layers for event in events if isinstance(event, Scopes)), ())


def newest_paths(events: Sequence[Event]) -> dict[str, WeightPath]:
    """By series, the paths of the last stage that has any; only the first stage has permuted ones."""
    paths = [event for event in events if isinstance(event, WeightPath) and event.t]
    return {path.series: path for path in paths if path.step == paths[-1].step}


def newest_histograms(events: Sequence[Event]) -> dict[tuple[str, str], Histogram]:
    """By (series, layer), the newest histogram."""
    return {(event.series, event.layer): event for event in events if isinstance(event, Histogram)}


def merged_accuracies(events: Sequence[Event]) -> list[dict[str, float]]:
    """Per stage and then by side, the test accuracy (0-1) of the merged network."""
    found: dict[int, dict[str, float]] = {}
    for event in events:
        if isinstance(event, Evaluation) and event.series.endswith(":merged"):
            found.setdefault(event.step, {})[event.series.partition(":")[0]] = event.accuracy
    return [own for _, own in sorted(found.items())]
