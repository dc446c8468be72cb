"""Where the training of a model began: known for families and own trainings, and otherwise said not to be."""

from pathlib import Path

import torch

from softmerge_core.data import load_dataset
from softmerge_core.experiments.connectivity.beginnings import Beginning, beginning_of, initial_network
from softmerge_core.experiments.connectivity.paths import start_path
from softmerge_core.experiments.connectivity.spec import ConnectivitySpec
from softmerge_core.experiments.train.spec import TrainSpec
from softmerge_core.settings import DataSpec, SourceSpec, TrainSettings
from softmerge_core.training import train
from softmerge_core.zoo import load_base, load_source
from tests.experiments.connectivity.library import SMALL, done
from tests.experiments.library import trained


def test_where_training_began_is_known_for_families_and_own_trainings(tmp_path: Path) -> None:
    settings = TrainSettings(epochs=1, seed=5)
    made = done(TrainSpec(name="mine", dataset="moons", network="mlp", settings=settings), tmp_path)  # type: ignore[arg-type]
    assert made.result is not None
    mine = SourceSpec(model=f"library/{made.result['library']}")
    assert beginning_of(mine) == Beginning("its random initial weights (seed 5)", seed=5)
    network, data = initial_network(mine), load_dataset("moons")
    assert network is not None
    train(network, data.train_inputs, data.train_labels, settings, classes=data.classes)
    again = load_source(mine).module.state_dict()
    assert all(torch.equal(value, again[name]) for name, value in network.state_dict().items())
    shared = SourceSpec(model="spirals-mlp-shared-trunk/source-2")
    trunk, base = initial_network(shared), load_base("spirals-mlp-shared-trunk")
    assert trunk is not None
    assert base is not None
    assert all(torch.equal(v, base.state_dict()[n]) for n, v in trunk.state_dict().items())
    assert beginning_of(shared) == Beginning("the trunk it shares with its family", trunk=True)
    assert beginning_of(SourceSpec(model="spirals-mlp-shared-trunk/base")).seed is not None


def test_where_it_is_not_known_that_is_said() -> None:
    sources = (trained("one", 1), trained("other", 2))
    assert initial_network(sources[0]) is None
    asked = ConnectivitySpec(sources=sources, data=DataSpec(dataset="moons"), **SMALL)
    paths = [start_path(asked, which) for which in (0, 1)]
    assert [path.t for path in paths] == [(), ()]
    assert all(path.note.startswith("not known where it began") for path in paths)
