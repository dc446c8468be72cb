"""A merge run whose numbers agree with a plain reckoning, and which ends with the same bits however it was cut."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from softmerge_core.checkpoints.files import load_checkpoint, load_into
from softmerge_core.data import load_dataset
from softmerge_core.evaluation import evaluate, predict
from softmerge_core.events import Boundary, Evaluation, Event, Gates, Loss, Points, Stage
from softmerge_core.experiments.merge import run as work
from softmerge_core.experiments.merge import scores
from softmerge_core.experiments.merge.run import GRID, boundary
from softmerge_core.experiments.merge.spec import MergeSpec
from softmerge_core.experiments.merge.why import why_sentence
from softmerge_core.merging.pace import Ahead
from softmerge_core.merging.soft import MergeResult, soft_merge
from softmerge_core.networks import build_network
from softmerge_core.runs.store import RunStore
from softmerge_core.runs.writer import conduct
from softmerge_core.settings import AttackSettings, DataSpec, SoftMergeSettings, SourceSpec
from softmerge_core.zoo import load_source
from tests.experiments.library import trained
from tests.experiments.merge.specs import FAST, merge_spec


def run(spec: MergeSpec, tmp_path: Path) -> tuple[str, RunStore]:
    """The run's id and its store, after it ended here."""
    store = RunStore(tmp_path / "runs")
    run_id = store.create(spec)
    conduct(store.folder(run_id))
    return run_id, store


def of(kind: type[Event], events: tuple[Event, ...]) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


def test_a_merge_in_the_plane_shows_points_boundaries_gates_and_scores(
    pair: tuple[SourceSpec, SourceSpec], tmp_path: Path
) -> None:
    run_id, store = run(merge_spec(*pair), tmp_path)
    view, data = store.read(run_id), load_dataset("moons")
    assert view.status == "finished", view.error
    assert view.result is not None
    assert len(of(Points, view.events)) == 1
    *pictures, shown_last = of(Boundary, view.events)
    assert [len(picture.classes) for picture in pictures] == [GRID * GRID] * len(pictures)
    assert [picture.step for picture in pictures] == sorted({picture.step for picture in pictures})
    assert len(pictures) >= 3
    assert not any(picture.kept for picture in pictures)
    assert of(Gates, view.events)
    assert {"soft", "average", "best_source", "ensemble"} <= {e.series for e in of(Evaluation, view.events)}

    merged = build_network("mlp", data.input_shape, data.classes, seed=0).eval()
    load_into(merged, load_checkpoint(store.weights(run_id, "merged")), "merged")
    assert shown_last == boundary(merged, shown_last.extent, 12, kept=True).model_copy(
        update={"seconds": shown_last.seconds}
    )
    sources = [load_source(source).module for source in pair]
    for split, accuracy, loss in (
        ("test", view.result["accuracy"], view.result["loss"]),
        ("validation", view.result["validation_accuracy"], view.result["validation_loss"]),
    ):
        inputs, labels = data.split(split)
        assert (accuracy["soft"], loss["soft"]) == pytest.approx(evaluate(merged, inputs, labels))
        plain = [evaluate(source, inputs, labels) for source in sources]
        assert list(zip(accuracy["sources"], loss["sources"], strict=True)) == [pytest.approx(each) for each in plain]
        together = sum(predict(source, inputs).double().softmax(1) for source in sources) / 2
        assert accuracy["ensemble"] == pytest.approx((together.argmax(1) == labels).double().mean().item())
        best = view.result["source_names"].index(view.result["best_source"])
        assert accuracy["best_source"] == accuracy["sources"][best]
    losses = view.result["validation_loss"]["sources"]
    assert losses[best] == min(losses)
    gates = view.result["gates"]
    assert len(gates["value"]) == len(gates["probability"]) == len(gates["parts"])
    assert view.result["stop_reason"] == "finished"
    assert view.result["seconds"] > 0


def test_the_picture_at_the_end_is_that_of_the_network_that_was_kept(
    pair: tuple[SourceSpec, SourceSpec], tmp_path: Path
) -> None:
    """Here no gates help, so that the best source is kept, not what the last stage came to."""
    spoiled = SourceSpec(model=pair[1].model, attack=AttackSettings(kind="extreme"))
    settings = SoftMergeSettings(steps=2, evaluate_every=2, batch_size=8, learning_rate=1e-9)
    run_id, store = run(merge_spec(pair[0], spoiled, settings=settings), tmp_path)
    view = store.read(run_id)
    assert view.result is not None, store.status(run_id)
    assert view.result["winner"] == "best_source"
    last = of(Boundary, view.events)[-1]
    best = load_source(pair[0]).module
    assert last.kept
    assert last.classes == boundary(best, last.extent, 0).classes
    assert of(Stage, view.events)[0].stages == len(of(Stage, view.events)) > 1


def test_the_same_spec_twice_gives_the_same_bits(pair: tuple[SourceSpec, SourceSpec], tmp_path: Path) -> None:
    results = []
    for _ in range(2):
        run_id, store = run(merge_spec(*pair), tmp_path)
        result = store.read(run_id).result
        assert result is not None
        results.append((store.weights(run_id, "merged").read_bytes(), {**result, "seconds": 0}))
    assert results[0] == results[1]


class Killed(BaseException):
    """Ends a run as a kill does."""


def test_a_merge_killed_midway_ends_with_the_same_bits(pair: tuple[SourceSpec, SourceSpec], tmp_path: Path) -> None:
    whole, store = run(merge_spec(*pair), tmp_path)
    cut = store.create(merge_spec(*pair))

    def listen(event: Event) -> None:
        if event.step >= 9:
            raise Killed

    with pytest.raises(Killed):
        conduct(store.folder(cut), listen=listen)
    assert store.status(cut).status == "interrupted"
    assert conduct(store.folder(cut)) == "finished"
    assert store.weights(cut, "merged").read_bytes() == store.weights(whole, "merged").read_bytes()
    plain = [  # pictures of the gates are told by the clock, these by the step
        [e.model_copy(update={"seconds": 0}) for e in store.read(each).events if isinstance(e, Loss | Evaluation)]
        for each in (whole, cut)
    ]
    assert plain[0] == plain[1]


def test_a_merge_can_be_stopped_and_keeps_its_best(pair: tuple[SourceSpec, SourceSpec], tmp_path: Path) -> None:
    store = RunStore(tmp_path / "runs")
    run_id = store.create(merge_spec(*pair, settings=FAST.model_copy(update={"steps": 100_000})))

    def listen(event: Event) -> None:
        if event.step >= 8:
            store.request(run_id, "stop")

    assert conduct(store.folder(run_id), listen=listen) == "stopped"
    result = store.read(run_id).result
    assert result is not None
    assert result["stop_reason"] == "stopped"
    assert math.isfinite(result["validation_loss"]["soft"])


@pytest.mark.parametrize("kind", ["nan", "inf"])
def test_sources_that_are_not_finite_are_refused_or_left_out(
    pair: tuple[SourceSpec, SourceSpec], tmp_path: Path, kind: Any
) -> None:
    broken = SourceSpec(model=pair[1].model, attack=AttackSettings(kind=kind))
    run_id, store = run(merge_spec(*pair, broken), tmp_path)
    assert store.status(run_id).status == "failed"
    assert "second" in store.status(run_id).message
    exclude = FAST.model_copy(update={"non_finite": "exclude"})
    run_id, store = run(merge_spec(*pair, broken, settings=exclude), tmp_path)
    result = store.read(run_id).result
    assert result is not None, store.status(run_id)
    assert result["excluded"] == [result["source_names"][2]]
    assert math.isfinite(result["accuracy"]["average"])
    assert len(result["accuracy"]["sources"]) == 3


def test_a_network_with_batchnorm_is_scored_with_statistics_of_its_own(tmp_path: Path) -> None:
    sources = [trained(f"r{seed}", seed, "resnet", "digits", steps=2) for seed in (1, 2)]
    settings = SoftMergeSettings(granularity="model", steps=2, evaluate_every=2, batch_size=32)
    spec = MergeSpec(sources=tuple(sources), data=DataSpec(dataset="digits", train_samples=128), settings=settings)
    run_id, store = run(spec, tmp_path)
    result, data = store.read(run_id).result, load_dataset("digits")
    assert result is not None, store.status(run_id)
    network = build_network("resnet", data.input_shape, data.classes, seed=0)
    load_into(network, load_checkpoint(store.weights(run_id, "merged")), "merged")
    scores = evaluate(network, data.test_inputs, data.test_labels)
    assert (result["accuracy"]["soft"], result["loss"]["soft"]) == pytest.approx(scores)


def test_a_boundary_is_drawn_row_by_row_from_the_lowest_y() -> None:
    class Upper(nn.Module):
        """Class 1 where y > x, else 0."""

        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.ones(1))

        def forward(self, points: torch.Tensor) -> torch.Tensor:
            return torch.stack([points[:, 0], points[:, 1] * self.scale], 1)

    picture = boundary(Upper(), (0.0, 1.0, 0.0, 2.0), step=4)
    for row in range(0, GRID, 7):
        for column in range(0, GRID, 7):
            x, y = column / (GRID - 1), 2 * row / (GRID - 1)
            if abs(x - y) > 1e-3:
                assert picture.classes[row * GRID + column] == int(y > x)


def test_of_very_many_gates_the_result_has_the_layers_and_the_weights_have_all(
    pair: tuple[SourceSpec, SourceSpec], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = merge_spec(*pair, settings=FAST.model_copy(update={"granularity": "channel"}))
    run_id, store = run(spec, tmp_path / "whole")
    whole = (store.read(run_id).result or {})["gates"]
    monkeypatch.setattr(work, "MOST_GATES", 8)
    run_id, store = run(spec, tmp_path / "short")
    gates = (store.read(run_id).result or {})["gates"]
    assert gates["parts"] == list(dict.fromkeys(whole["groups"]))
    assert sum(gates["sizes"]) == len(whole["parts"])
    table = load_checkpoint(store.weights(run_id, "gates"))
    for name in ("probability", "value", "weight", "scale"):
        assert table[name].tolist() == whole[name]
    first = [row for row, owner in zip(whole["weight"], whole["groups"], strict=True) if owner == gates["parts"][0]]
    mean = torch.tensor(first, dtype=torch.float64).mean(0).tolist()
    assert gates["weight"][0] == pytest.approx(mean, abs=1.01e-4)
    assert gates["closed"][0] == [sum(z == 0 for z in column) for column in _first_layer(whole)]
    assert why_sentence({"gates": gates, "winner": "channel"}).startswith("No source was closed")


def _first_layer(gates: dict[str, Any]) -> list[tuple[float, ...]]:
    owner = gates["groups"][0]
    rows = [row for row, name in zip(gates["value"], gates["groups"], strict=True) if name == owner]
    return list(zip(*rows, strict=True))


@pytest.mark.parametrize("rescale", [False, True])
def test_as_many_samples_are_computed_at_the_end_as_the_time_that_is_told_counts(
    rescale: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    experts = [SourceSpec(model=f"skills-mlp-experts/{skill}-expert") for skill in ("digits", "emoji")]
    settings = SoftMergeSettings(granularity="channel", steps=1, rescale=rescale)
    counted, told = 0, list[Ahead]()

    def counting(network: nn.Module, inputs: torch.Tensor) -> torch.Tensor:
        nonlocal counted
        counted += len(inputs)
        return predict(network, inputs)

    def merging(*arguments: Any, ahead: Ahead, **others: Any) -> MergeResult:
        told.append(ahead)
        return soft_merge(*arguments, ahead=ahead, **others)

    monkeypatch.setattr(scores, "predict", counting)
    monkeypatch.setattr(work, "soft_merge", merging)
    spec = merge_spec(*experts, dataset="skills", settings=settings)
    run_id, store = run(spec, tmp_path)
    assert store.read(run_id).status == "finished"
    assert counted == told[0].samples == (2 + 2 + 2 * rescale + 2) * (900 + 1500)
    assert told[0].seconds is not None
