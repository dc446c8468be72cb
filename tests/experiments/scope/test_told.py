"""The events of a scope run, as pictures and sentences take them up."""

from softmerge_core.events import Barrier, Evaluation, Event, Histogram, Scopes, WeightPath
from softmerge_core.experiments.scope.told import (
    Told,
    layers_of,
    merged_accuracies,
    newest_histograms,
    newest_paths,
    source_key,
)


def path(series: str, step: int) -> WeightPath:
    return WeightPath(step=step, series=series, t=(0, 1), test_loss=(0, 0), test_error=(0, 0))


def score(series: str, step: int, accuracy: float) -> Evaluation:
    return Evaluation(step=step, series=series, split="test", accuracy=accuracy, loss=1.0)


def histogram(step: int) -> Histogram:
    return Histogram(
        step=step, series="plain:0", layer="a", low=-1, high=1, counts=(1,), outside=0, mu=0, sigma=1, skewness=0,
        kurtosis=0, gap=0,
    )  # fmt: skip


def test_sides_are_compared_at_the_newest_epoch_of_both() -> None:
    ahead = [Barrier(step=step, series="plain", error=0.1, loss=0.1) for step in (0, 1, 2)]
    behind = [Barrier(step=step, series="aligned", error=0.1, loss=0.1) for step in (0, 1)]
    assert Told(epochs=9, sources=2).both() == 0
    told = Told(epochs=9, sources=2).read([*ahead, *behind])
    assert (told.both(), told.step) == (1, 2)


def test_an_accuracy_is_a_mean_over_all_sources_or_not_known() -> None:
    told = Told(epochs=9, sources=2).read([score("plain:0", 1, 0.5), score("plain:1", 1, 1.0), score("plain:0", 2, 1)])
    assert (told.accuracy("plain", 1), told.accuracy("plain", 2), told.accuracy("aligned", 1)) == (0.75, None, None)


def test_of_paths_those_of_the_last_stage_count() -> None:
    first = [path("plain", 2), path("plain:permuted", 2)]
    assert list(newest_paths(first)) == ["plain", "plain:permuted"]
    assert newest_paths([*first, path("plain", 4)]) == {"plain": path("plain", 4)}
    assert newest_paths([WeightPath(step=4, series="plain")]) == {}


def test_of_histograms_and_layers_the_newest_and_the_first_count() -> None:
    scopes = Scopes(step=0, series="plain:0", layers=("a", "b"), mu=(0.0, 0.0), sigma=(1.0, 1.0))
    events: list[Event] = [histogram(0), scopes, histogram(3)]
    assert newest_histograms(events) == {("plain:0", "a"): histogram(3)}
    assert (layers_of(events), layers_of([])) == (("a", "b"), ())


def test_merged_networks_are_told_stage_by_stage() -> None:
    events = [score("plain:merged", 4, 0.6), score("plain:merged", 2, 0.5), score("aligned:merged", 2, 0.75)]
    assert merged_accuracies([*events, score("plain:0", 2, 0.1)]) == [{"plain": 0.5, "aligned": 0.75}, {"plain": 0.6}]


def test_only_sources_have_a_key() -> None:
    assert [source_key(name) for name in ("plain:0", "aligned:11", "plain:merged", "start:0", "plain")] == [
        ("plain", 0), ("aligned", 11), None, None, None,
    ]  # fmt: skip
