"""What a merged network was made of is written into its file, and read again as nothing but that."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from softmerge_core.checkpoints.files import load_checkpoint, save_checkpoint, state_hash
from softmerge_core.checkpoints.metadata import read_metadata
from softmerge_core.experiments import parse_spec
from softmerge_core.experiments.merge import lineage as module
from softmerge_core.experiments.merge.lineage import (
    LINEAGE,
    RECIPE,
    TENSORS,
    arrays_hash,
    lineage_of,
    portable,
    recorded,
)
from softmerge_core.runs import RunStore
from softmerge_core.runs.writer import conduct
from softmerge_core.settings import SoftMergeSettings, SourceSpec
from softmerge_core.zoo import families, library, load_source
from tests.experiments.merge.specs import merge_spec

Pair = tuple[SourceSpec, SourceSpec]
FAMILY = "moons-mlp-label-noise"


def test_a_run_writes_down_what_made_its_network(pair: Pair) -> None:
    spec, store = merge_spec(*pair, name="Mine"), RunStore()
    run_id = store.create(spec)
    assert conduct(store.folder(run_id)) == "finished"
    path = store.weights(run_id, "merged")
    metadata = read_metadata(path)
    assert metadata["format"] == "pt"
    assert parse_spec(json.loads(metadata[RECIPE])) == spec
    assert metadata[TENSORS] == state_hash(load_checkpoint(path))
    found = recorded(metadata)
    assert found is not None
    assert [(source.model, source.sha256) for source in found.sources] == [
        (f"library/{name}", library()[name].sha256) for name in ("first", "second")
    ]
    assert (found.network, found.input_shape, found.classes) == ("mlp", (2,), 2)
    assert found.versions["torch"] == torch.__version__.partition("+")[0]
    assert (found.data.title, found.data.of, found.data.tested_on) == ("Moons", "arrays", "test")


def test_the_base_is_told_only_where_gates_count_from_it() -> None:
    sources = tuple(SourceSpec(model=f"{FAMILY}/{model.name}") for model in families()[FAMILY].models)
    assert lineage_of(merge_spec(*sources)).base is None
    base = lineage_of(merge_spec(*sources, settings=SoftMergeSettings(relative=True))).base
    known = families()[FAMILY].base
    assert base is not None
    assert known is not None
    assert base.sha256 == known.sha256


def test_files_of_ones_own_are_told_by_name_and_hash_and_never_by_path(pair: Pair, tmp_path: Path) -> None:
    weights, data = tmp_path / "mine.safetensors", tmp_path / "points.npz"
    save_checkpoint(load_source(pair[0]).module, weights)
    samples = {"inputs": np.zeros((4, 2), np.float32), "labels": np.array([0, 1, 1, 0])}
    np.savez(data, **{f"{split}_{part}": samples[part] for split in ("train", "validation") for part in samples})
    spec = merge_spec(pair[0], SourceSpec(model=str(weights)), dataset=str(data))
    found = lineage_of(spec)
    assert found.sources[1].model == "mine.safetensors"
    assert (found.sources[1].of, found.sources[1].sha256) == ("file", hashlib.sha256(weights.read_bytes()).hexdigest())
    assert (found.data.dataset, found.data.sha256) == ("points.npz", hashlib.sha256(data.read_bytes()).hexdigest())
    assert found.data.tested_on == "validation"  # the file has no samples for testing
    told = found.model_dump_json() + portable(spec).model_dump_json()
    assert str(tmp_path) not in told
    assert [source.model for source in portable(spec).sources] == ["library/first", "mine.safetensors"]
    assert portable(spec).data.dataset == "points.npz"
    assert portable(merge_spec(*pair)) == merge_spec(*pair)


def test_a_hash_of_arrays_tells_names_types_shapes_and_values_apart() -> None:
    zeros = np.zeros((2, 3), np.float32)
    others = [{"b": zeros}, {"a": zeros.astype(np.float64)}, {"a": zeros.reshape(3, 2)}, {"a": zeros + 1}, {}]
    assert len({arrays_hash(arrays) for arrays in [{"a": zeros}, *others]}) == 6
    assert arrays_hash({"a": zeros, "b": zeros + 1}) == arrays_hash({"b": zeros + 1, "a": np.asfortranarray(zeros)})


@pytest.mark.parametrize("text", ["", "{}", "not JSON", "[]", '{"network": 3}', '{"network": "mlp", "more": 1}'])
def test_a_stranger_s_lineage_is_none(text: str) -> None:
    assert recorded({LINEAGE: text}) is None
    assert recorded({}) is None


def test_the_version_is_that_of_the_project_installed_or_not(monkeypatch: pytest.MonkeyPatch) -> None:
    assert module.own_version().count(".") == 2
    monkeypatch.setattr(module, "_version", lambda name: "9.9.9")
    assert module.own_version() == "9.9.9"
