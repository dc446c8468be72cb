import random
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from softmerge_core.data import (
    Data,
    check_data,
    check_data_spec,
    digits,
    load_data,
    load_dataset,
    mnist1d,
    select,
)
from softmerge_core.errors import DataError, NotFoundError
from softmerge_core.settings import DataSpec

SPLITS = ("train", "validation", "test")
SIZES = {
    "mnist1d": (4000, 1000, 1000),
    **dict.fromkeys(("digits", "digits16"), (1000, 350, 447)),
    **dict.fromkeys(("moons", "rings", "spirals"), (600, 300, 600)),
}


@pytest.mark.parametrize("name", SIZES)
def test_sizes_are_the_standard_ones(name: str) -> None:
    assert tuple(len(load_dataset(name).split(split)[1]) for split in SPLITS) == SIZES[name]


def test_mnist1d_is_what_the_package_generates_and_global_randomness_is_untouched() -> None:
    random.seed(5)
    np.random.seed(5)  # noqa: NPY002 - the state that must survive
    expected = random.random(), np.random.random()  # noqa: NPY002
    random.seed(5)
    np.random.seed(5)  # noqa: NPY002
    made, shipped = mnist1d.generate(), load_file(mnist1d.FILE)
    assert (random.random(), np.random.random()) == expected  # noqa: NPY002
    assert made.keys() == shipped.keys()
    for name, array in made.items():
        assert array.dtype == shipped[name].dtype
        # a mathematics library of another machine may round the last bit of a float32 otherwise
        np.testing.assert_allclose(array, shipped[name], rtol=0, atol=1e-6)


def test_digits_are_scikit_learns() -> None:
    made, shipped = digits.generate(), load_file(digits.FILE)
    assert made.keys() == shipped.keys()
    assert all(np.array_equal(made[name], shipped[name]) for name in made)


def test_digits_are_stratified() -> None:
    data = load_dataset("digits")
    overall = torch.cat([data.split(split)[1] for split in SPLITS]).bincount() / 1797
    for split in SPLITS:
        labels = data.split(split)[1]
        assert (labels.bincount() - overall * len(labels)).abs().max() < 2.5


def test_select_takes_the_first_samples_and_leaves_the_rest() -> None:
    data = load_dataset("moons")
    few = select(data, DataSpec(dataset="moons", train_samples=7, validation_samples=3))
    assert torch.equal(few.train_inputs, data.train_inputs[:7])
    assert torch.equal(few.validation_labels, data.validation_labels[:3])
    assert len(few.test_labels) == len(data.test_labels)
    assert len(select(data, DataSpec(dataset="moons", train_samples=10**6)).train_labels) == 600


@pytest.mark.parametrize(("field", "word"), [("train_samples", "training"), ("validation_samples", "validation")])
def test_no_samples_is_an_error_before_and_after_loading(field: str, word: str) -> None:
    spec = DataSpec(dataset="moons", **{field: 0})
    with pytest.raises(DataError, match=f"no {word} data"):
        check_data_spec(spec)
    with pytest.raises(DataError, match=f"no {word} data"):
        check_data(load_data(spec))


def test_unknown_data_set() -> None:
    with pytest.raises(NotFoundError, match="mnist1d"):
        load_dataset("mnist")
    with pytest.raises(NotFoundError, match="unknown data set"):
        check_data_spec(DataSpec(dataset="mnist"))


def _with(data: Data, name: str, index: int, value: float) -> Data:
    tensor = getattr(data, name).clone()
    tensor[index] = value
    return replace(data, **{name: tensor})


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("label", [-1, 2, 57])
def test_a_label_outside_the_classes_is_named(split: str, label: int) -> None:
    data = _with(load_dataset("moons"), f"{split}_labels", 17, label)
    with pytest.raises(DataError, match=rf"{split}_labels in 0\.\.1, got {label} at index 17"):
        check_data(data)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_inputs_that_are_not_finite_are_named(value: float) -> None:
    with pytest.raises(DataError, match="finite test_inputs, got NaN or Inf in sample 4"):
        check_data(_with(load_dataset("moons"), "test_inputs", 4, value))


def test_data_must_fit_the_network() -> None:
    data = load_dataset("digits")
    with pytest.raises(DataError, match=r"shape \(1, 40\), got \(1, 8, 8\)"):
        check_data(data, input_shape=(1, 40))
    with pytest.raises(DataError, match=r"0\.\.4"):
        check_data(data, classes=5)


def test_checking_a_spec_loads_no_torch() -> None:
    code = (
        "import sys; from softmerge_core.data import check_data_spec; from softmerge_core.settings import DataSpec;"
        "check_data_spec(DataSpec()); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_merge_may_look_at_training_and_validation_samples_and_no_others() -> None:
    data = load_dataset("moons")
    seen, parts = vars(data.for_merging()), ("inputs", "labels")
    assert seen == {f"{split}_{part}": getattr(data, f"{split}_{part}") for split in SPLITS[:2] for part in parts}
