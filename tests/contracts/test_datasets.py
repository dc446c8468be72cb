"""The contract of every data set in ``softmerge_core/data``; a new file is picked up by itself."""

import random
import socket
from pathlib import Path

import numpy as np
import pytest
import torch

import softmerge_core.data
from softmerge_core.data import check_data, datasets, load_dataset
from softmerge_core.data.base import SPLITS
from softmerge_core.errors import SoftMergeError
from softmerge_core.networks import fits, network_names
from tests.contracts.helpers import loaded_after

NAMES = tuple(datasets())
PACKAGE = Path(softmerge_core.data.__path__[0])
every_dataset = pytest.mark.parametrize("name", NAMES)


def test_the_data_sets_that_ship_are_there() -> None:
    missing = {"digits", "digits16", "mnist1d", "moons", "rings", "spirals"} - set(NAMES)
    assert not missing, f"data sets that ship are not found: {sorted(missing)}"


def test_titles_tell_data_sets_apart() -> None:
    titles = [dataset.title for dataset in datasets().values()]
    assert all(titles), "a data set has no title"
    assert len(set(titles)) == len(titles), f"two data sets have one title: {sorted(titles)}"


def test_listing_the_data_sets_loads_no_torch() -> None:
    loaded = loaded_after("from softmerge_core.data import datasets\ndatasets()")
    assert "torch" not in loaded, "listing the data sets loads torch; import it inside the functions that use it"


@every_dataset
def test_it_has_three_splits_as_declared(name: str) -> None:
    declared, arrays = datasets()[name], datasets()[name].load()
    for split in SPLITS:
        for part in ("inputs", "labels"):
            assert f"{split}_{part}" in arrays, f"data set {name!r}: {split}_{part} is missing; got {sorted(arrays)}"
        inputs, labels = arrays[f"{split}_inputs"], arrays[f"{split}_labels"]
        got, expected = tuple(inputs.shape[1:]), tuple(declared.input_shape)
        assert got == expected, f"data set {name!r} declares input_shape {expected}, but its {split} inputs are {got}"
        kinds = inputs.dtype.kind + labels.dtype.kind
        assert kinds in ("fi", "fu"), (
            f"data set {name!r}: expected float inputs and whole labels, got {split} {kinds!r}"
        )
        found, wanted = set(labels.tolist()), set(range(declared.classes))
        assert found == wanted, (
            f"data set {name!r} declares {declared.classes} classes, but its {split} labels are {sorted(found)}"
        )


@every_dataset
def test_it_has_as_many_samples_as_declared(name: str) -> None:
    arrays, declared = datasets()[name].load(), datasets()[name].samples
    got = tuple(len(arrays[f"{split}_labels"]) for split in SPLITS)
    assert got == declared, f"data set {name!r} declares {declared} samples, but its splits have {got}"


@every_dataset
def test_it_is_sound_as_tensors(name: str) -> None:
    data = load_dataset(name)
    try:
        check_data(data)
    except SoftMergeError as error:
        raise AssertionError(f"data set {name!r} is not sound: {error}") from error
    for split in SPLITS:
        inputs, labels = data.split(split)
        types = (inputs.dtype, labels.dtype)
        assert types == (torch.float32, torch.int64), f"data set {name!r}: {split} samples are of types {types}"
        assert inputs.shape == (len(labels), *data.input_shape), f"data set {name!r}: {split} inputs {inputs.shape}"


@every_dataset
def test_its_training_inputs_are_standardised_unless_it_says_why_not(name: str) -> None:
    inputs, dataset = load_dataset(name).train_inputs, datasets()[name]
    mean, sd = float(inputs.mean()), float(inputs.std())
    near = abs(mean) < 0.01 and abs(sd - 1) < 0.01
    assert near or dataset.not_standardised, (
        f"data set {name!r}: expected training inputs of mean 0 and SD 1, got {mean:.3g} and {sd:.3g}; "
        "standardise them, or say in not_standardised why they are not"
    )
    assert not (near and dataset.not_standardised), (
        f"data set {name!r} says why its training inputs are not standardised "
        f"({dataset.not_standardised!r}), but they are"
    )


@every_dataset
def test_no_sample_is_in_two_splits(name: str) -> None:
    data = load_dataset(name)
    seen = {split: {row.numpy().tobytes() for row in data.split(split)[0]} for split in SPLITS}
    for first, second in (("train", "validation"), ("train", "test"), ("validation", "test")):
        both = len(seen[first] & seen[second])
        assert not both, f"data set {name!r}: {both} samples are in both the {first} and the {second} split"


@every_dataset
def test_no_split_is_a_copy_of_another_with_a_little_noise(name: str) -> None:
    """As many samples of validation and test data as of training data lie so near to (another) training sample."""
    data = load_dataset(name)
    train = data.train_inputs.flatten(1).double()
    within = torch.cdist(train, train).fill_diagonal_(torch.inf).min(1).values
    for split in ("validation", "test"):
        across = torch.cdist(data.split(split)[0].flatten(1).double(), train).min(1).values
        usual, found = float(within.median()), float(across.median())
        assert found > usual / 5, (
            f"data set {name!r}: half of the {split} samples lie within {found:.2g} of a training sample, which lie "
            f"{usual:.2g} apart; draw them anew"
        )


@every_dataset
def test_its_first_samples_hold_every_class(name: str) -> None:
    """A spec that asks for few samples takes the first ones."""
    data = load_dataset(name)
    for split in ("train", "validation"):
        labels = data.split(split)[1]
        first = labels[: max(20 * data.classes, len(labels) // 10)]
        missing = set(range(data.classes)) - set(first.tolist())
        assert not missing, (
            f"data set {name!r}: the first {len(first)} {split} samples lack classes {sorted(missing)}; shuffle them"
        )


@every_dataset
def test_loading_is_deterministic_and_cached(name: str) -> None:
    data, again = load_dataset(name), datasets()[name].load()
    assert load_dataset(name) is data, f"data set {name!r} is loaded afresh each time"
    for split in SPLITS:
        inputs, labels = data.split(split)
        same = np.array_equal(inputs.numpy(), again[f"{split}_inputs"].astype(np.float32))
        same &= np.array_equal(labels.numpy(), again[f"{split}_labels"])
        assert same, f"data set {name!r}: loading it twice gives two different {split} splits"


def global_numpy() -> tuple[list[int], int]:
    """numpy's global random state: its words, and the place among them, which is all that a few draws move."""
    _, words, place, *_ = np.random.get_state()  # noqa: NPY002
    return words.tolist(), place


@every_dataset
def test_loading_asks_no_network_and_leaves_global_randomness_alone(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **keywords: object) -> None:
        raise AssertionError(f"data set {name!r} reaches for the network; keep its arrays in data/arrays/")

    for door in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, door, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    random.seed("nobody's seed")  # so that a member that sets a seed of its own, as at its first loading, is seen
    np.random.seed(3_141_592_653)  # noqa: NPY002
    torch.manual_seed(2_718_281_828)
    before = random.getstate(), global_numpy(), torch.get_rng_state()
    datasets()[name].load()
    sentence = f"loading data set {name!r} moves the global random state of {{}}; use a generator of its own"
    assert random.getstate() == before[0], sentence.format("random")
    assert global_numpy() == before[1], sentence.format("numpy")
    assert torch.equal(torch.get_rng_state(), before[2]), sentence.format("torch")


@every_dataset
def test_loading_leaves_no_file_behind(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    before = {path for path in PACKAGE.rglob("*") if "__pycache__" not in path.parts}
    datasets()[name].load()
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    kept += sorted({path for path in PACKAGE.rglob("*") if "__pycache__" not in path.parts} - before)
    assert not kept, f"loading data set {name!r} keeps {', '.join(path.name for path in kept)}; return arrays only"


@every_dataset
def test_a_network_can_learn_from_it(name: str) -> None:
    dataset = datasets()[name]
    fitting = [network for network in network_names() if fits(network, dataset.input_shape, dataset.classes)]
    assert fitting, f"data set {name!r}: no network takes samples of shape {dataset.input_shape}"
    data = load_dataset(name)
    neighbour = torch.cdist(data.test_inputs.flatten(1), data.train_inputs.flatten(1)).argmin(1)
    share = float((data.train_labels[neighbour] == data.test_labels).float().mean())
    assert share > 1.5 / data.classes, (
        f"data set {name!r}: the nearest training sample has a test sample's label in {share:.0%}, hardly more than by "
        "chance; do inputs and labels belong together?"
    )
