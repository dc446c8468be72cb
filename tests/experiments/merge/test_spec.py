"""The merge spec: what is refused before any work, and without torch."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from softmerge_core.errors import (
    ArchitectureError,
    DataError,
    NotFoundError,
    SettingsError,
    SoftMergeError,
    SourceError,
)
from softmerge_core.experiments import experiment, parse_spec
from softmerge_core.experiments.merge.spec import MergeSpec
from softmerge_core.settings import DataSpec, SoftMergeSettings, SourceSpec
from tests.experiments.library import trained
from tests.experiments.merge.specs import merge_spec


def check(spec: MergeSpec) -> None:
    experiment("merge").check(spec)


def test_sources_that_cannot_be_merged_are_refused_by_name(pair: tuple[SourceSpec, SourceSpec]) -> None:
    first, second = pair
    check(merge_spec(first, second))
    other_data, other_network = trained("rings", 3, dataset="rings", steps=1), trained("digits", 3, dataset="digits")
    for sources, problem in (
        ((), "expected two or more sources, got 0"),
        ((first,), "expected two or more sources, got 1"),
        ((first, other_data), "'library/first' and 'library/rings' cannot be merged"),
        ((first, other_network), "'library/first' and 'library/digits' cannot be merged"),
    ):
        with pytest.raises(SourceError, match=problem):
            check(merge_spec(*sources))


def test_another_architecture_alone_is_told_from_other_data(pair: tuple[SourceSpec, SourceSpec]) -> None:
    wide, other_data = trained("wide", 3, network="mlp_wide"), trained("rings", 3, "mlp_wide", dataset="rings", steps=1)
    told = (
        "the network of the first is mlp, of the second mlp_wide. Weights of different architectures cannot be averaged"
    )
    with pytest.raises(ArchitectureError, match=f"'library/first' and 'library/wide' cannot be merged: {told}"):
        check(merge_spec(pair[0], wide))
    with pytest.raises(SourceError, match="cannot be merged") as caught:
        check(merge_spec(pair[0], other_data))
    assert not isinstance(caught.value, ArchitectureError)


@pytest.mark.parametrize("model", ["library/absent", "nothing/at all", "../../etc/passwd", "library/../../x", ""])
def test_unknown_models_are_refused(pair: tuple[SourceSpec, SourceSpec], model: str) -> None:
    with pytest.raises((NotFoundError, SettingsError)):
        check(merge_spec(pair[0], SourceSpec(model=model)))


def test_data_that_do_not_fit_are_refused(pair: tuple[SourceSpec, SourceSpec], tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"library/first.*expects \(2,\), got"):
        check(merge_spec(*pair, dataset="digits"))
    with pytest.raises(NotFoundError, match="unknown data set 'nothing'"):
        check(merge_spec(*pair, dataset="nothing"))
    with pytest.raises(DataError, match="validation"):
        check(merge_spec(*pair).model_copy(update={"data": DataSpec(dataset="moons", validation_samples=0)}))
    inputs, labels = np.zeros((9, 2), dtype=np.float32), np.arange(9)
    arrays = {
        f"{split}_{part}": value
        for split in ("train", "validation")
        for part, value in (("inputs", inputs), ("labels", labels))
    }
    np.savez(tmp_path / "nine.npz", **arrays)
    with pytest.raises(DataError, match="tells 2 classes, got 9"):
        check(merge_spec(*pair, dataset=str(tmp_path / "nine.npz")))


def test_a_part_kept_of_no_source_is_refused(pair: tuple[SourceSpec, SourceSpec]) -> None:
    with pytest.raises(SettingsError, match="keeps Source 3, but there are 2 sources"):
        check(merge_spec(*pair, settings=SoftMergeSettings(parts={"head": "keep:2"})))


def test_checking_loads_no_torch(pair: tuple[SourceSpec, SourceSpec]) -> None:
    code = (
        "import sys; from softmerge_core.experiments import experiment, parse_spec; import json;"
        "spec = parse_spec(json.loads(sys.argv[1])); experiment('merge').check(spec); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, merge_spec(*pair).model_dump_json()], check=True)


def test_any_wrong_spec_is_a_typed_error() -> None:
    for values in ({"kind": "merge", "sources": [{"model": 3}]}, {"kind": "merge", "extra": 1}, {}, {"kind": "x"}):
        with pytest.raises(SoftMergeError):
            parse_spec(values)
