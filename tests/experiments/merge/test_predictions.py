"""What the networks of a merge predict is kept with the run, agrees with a plain reckoning, and can be made again."""

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from softmerge_core.checkpoints.files import load_checkpoint, load_into, save_checkpoint
from softmerge_core.data import load_dataset
from softmerge_core.errors import RunError, SettingsError
from softmerge_core.evaluation import ensemble, predict
from softmerge_core.experiments.merge.predicting import predictions
from softmerge_core.experiments.merge.predictions import (
    FIRST,
    MOST_SAMPLES,
    NAME,
    SURE,
    best_of,
    kept_sources,
    read_predictions,
)
from softmerge_core.export.predictions import predictions as write_out
from softmerge_core.networks import build_network
from softmerge_core.runs.store import RunStore
from softmerge_core.runs.writer import conduct
from softmerge_core.settings import SourceSpec
from softmerge_core.zoo import load_source
from tests.experiments.merge.specs import merge_spec

EXAMPLE = "example:first-look"
Change = Callable[[dict[str, np.ndarray]], object]


def test_a_run_keeps_what_each_network_predicts(pair: tuple[SourceSpec, SourceSpec], tmp_path: Path) -> None:
    store = RunStore(tmp_path / "runs")
    run_id = store.create(merge_spec(*pair))
    conduct(store.folder(run_id))
    result = store.read(run_id).result
    assert result is not None
    found = read_predictions(store.weights(run_id, NAME), 2, best_of(result))
    assert found is not None
    data = load_dataset("moons")
    merged = build_network("mlp", data.input_shape, data.classes, seed=0)
    load_into(merged, load_checkpoint(store.weights(run_id, "merged")), "merged")
    inputs, labels = data.split("test")
    sources = [predict(load_source(source).module, inputs) for source in pair]
    naive = {"soft": predict(merged, inputs), "ensemble": ensemble(sources)}
    naive |= {f"source:{place}": own for place, own in enumerate(sources)}
    for name, outputs in naive.items():
        sure, decided = outputs.double().softmax(1).max(1)
        assert found.answers(name).tolist() == decided.tolist()
        assert np.abs(found.sure(name) - sure.numpy()).max() <= 0.51 / SURE
        assert found.right(name).tolist() == (decided == labels).tolist()
    for name in (*FIRST, "best_source"):
        assert found.right(name).mean() == pytest.approx(result["accuracy"][name], abs=1e-12)
    gained = [
        place
        for place in range(found.count)
        if naive["soft"][place].argmax() == labels[place] != naive["source:1"][place].argmax()
    ]
    assert found.gained("soft", "source:1").tolist() == gained
    table = np.zeros((2, 2), int)
    for truth, answer in zip(labels.tolist(), naive["soft"].argmax(1).tolist(), strict=True):
        table[truth, answer] += 1
    assert found.confusion("soft", 2).tolist() == table.tolist()


def test_of_very_many_answers_the_first_samples_and_the_best_source_are_kept() -> None:
    assert kept_sources(3, 1500, 2) == (0, 1, 2)
    assert kept_sources(12, 10_000, 11) == (0, 1, 2, 3, 11)
    random = torch.Generator().manual_seed(0)
    rows = [torch.randn(MOST_SAMPLES + 5, 3, generator=random) for _ in range(12)]
    made = predictions(dict(zip(FIRST, rows, strict=False)), rows, torch.zeros(MOST_SAMPLES + 5, dtype=torch.int64), 11)
    assert made["sources"].tolist() == [0, 1, 2, 3, 11]
    assert made["classes"][-1].tolist() == rows[11][:MOST_SAMPLES].argmax(1).tolist()
    size = sum(tensor.numel() * tensor.element_size() for tensor in made.values())
    assert size <= 8 * 3 * MOST_SAMPLES + MOST_SAMPLES + 20
    wide = torch.eye(300)
    few = predictions(dict.fromkeys(FIRST, wide), [wide], torch.arange(300), 0)
    assert few["classes"][0].tolist() == list(range(300))  # more classes than a byte counts
    nan = predictions(dict.fromkeys(FIRST, wide * torch.nan), [wide], torch.arange(300), 0)
    assert (nan["confidence"][0] == -1).all()


def test_the_shipped_example_has_them_and_they_are_made_again_the_same(tmp_path: Path) -> None:
    store, copy = RunStore(), tmp_path / "first-look"
    shutil.copytree(store.folder(EXAMPLE), copy)
    shipped = load_file(copy / "weights" / f"{NAME}.safetensors")
    (copy / "weights" / f"{NAME}.safetensors").unlink()
    told = write_out(str(copy), str(tmp_path / "made.safetensors"))
    made = load_file(tmp_path / "made.safetensors")
    assert told["computed"] is True
    for name in ("labels", "classes", "sources"):
        assert (made[name] == shipped[name]).all()
    assert np.abs(made["confidence"].astype(int) - shipped["confidence"]).max() <= 2  # other processors round otherwise


def test_a_source_that_has_changed_is_noticed(pair: tuple[SourceSpec, SourceSpec], tmp_path: Path) -> None:
    store = RunStore(tmp_path / "runs")
    run_id = store.create(merge_spec(*pair))
    conduct(store.folder(run_id))
    store.weights(run_id, NAME).unlink()
    weights = store.weights(run_id, "merged")
    save_checkpoint({name: -value for name, value in load_checkpoint(weights).items()}, weights)
    with pytest.raises(RunError, match=r"'soft' get right .* differs from what the run wrote down"):
        write_out(str(store.folder(run_id)), str(tmp_path / "out.safetensors"))


def test_the_table_has_a_row_for_each_sample_and_nothing_is_overwritten(tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    assert write_out(EXAMPLE, str(out))["computed"] is False
    rows = list(csv.reader(out.read_text().splitlines()))
    assert rows[0][:4] == ["sample", "class", "soft", "soft confidence"]
    assert len(rows) == 1501
    result = RunStore().read(EXAMPLE).result
    assert result is not None
    share = sum(row[1] == row[2] for row in rows[1:]) / 1500
    assert share == pytest.approx(result["accuracy"]["soft"], abs=1e-9)
    with pytest.raises(RunError, match="is there already"):
        write_out(EXAMPLE, str(out))
    with pytest.raises(SettingsError, match=r"ends in \.csv or \.safetensors"):
        write_out(EXAMPLE, str(tmp_path / "out.txt"))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda arrays: arrays.pop("labels"), "expected whole numbers called"),
        (lambda arrays: arrays.update(confidence=arrays["confidence"].astype(np.float32)), "whole numbers"),
        (lambda arrays: arrays.update(labels=arrays["labels"][:-1]), "expected answers of shape"),
        (lambda arrays: arrays.update(sources=np.array([0, 0, 1], np.int32)), "the best of 3 sources"),
        (lambda arrays: arrays.update(sources=np.array([0, 1, 7], np.int32)), "the best of 3 sources"),
        (lambda arrays: arrays.update(classes=arrays["classes"].astype(np.int16) - 30), "classes from 0 on"),
    ],
)
def test_a_damaged_file_is_refused(change: Change, told: str, tmp_path: Path) -> None:
    arrays = load_file(RunStore().weights(EXAMPLE, NAME))
    change(arrays)
    path = tmp_path / "run" / "weights" / f"{NAME}.safetensors"
    path.parent.mkdir(parents=True)
    save_file(arrays, path)
    with pytest.raises(RunError, match=f"predictions.safetensors of run 'run' is damaged: .*{told}"):
        read_predictions(path, 3, 0)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(RunError, match="damaged"):
        read_predictions(path, 3, 0)
    assert read_predictions(path.with_name("none.safetensors"), 3, 0) is None
