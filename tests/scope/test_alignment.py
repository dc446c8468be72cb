"""Networks trained on toward a common scope."""

import torch

from softmerge_core.data import load_dataset
from softmerge_core.networks import build_network
from softmerge_core.scope.alignment import into_one_scope
from softmerge_core.scope.measure import Scope, distance, scope_of
from softmerge_core.settings import TrainSettings

HOW = TrainSettings(epochs=3, optimiser="sgd", learning_rate=0.05, batch_size=64)


def test_sources_come_nearer_to_each_others_scope_and_stay_as_they_were() -> None:
    data = load_dataset("spirals")
    sources = [build_network("mlp", data.input_shape, data.classes, seed) for seed in (0, 1)]
    with torch.no_grad():
        sources[1].get_parameter("hidden2.weight").mul_(3)
    before = [{name: value.clone() for name, value in source.state_dict().items()} for source in sources]
    aligned = into_one_scope(sources, data.train_inputs, data.train_labels, HOW, weight=10.0)
    old, new = (distance(scope_of(a), scope_of(b)).sum() for a, b in (sources, aligned))
    assert new < 0.2 * old
    for source, state in zip(sources, before, strict=True):
        assert all(torch.equal(value, state[name]) for name, value in source.state_dict().items())


def test_a_target_of_the_callers_own_is_approached() -> None:
    data = load_dataset("spirals")
    source = build_network("mlp", data.input_shape, data.classes, 0)
    own = scope_of(source).detach()
    target = Scope(own.layers, own.mu, 1.5 * own.sigma)
    (aligned,) = into_one_scope([source], data.train_inputs, data.train_labels, HOW, weight=10.0, target=target)
    assert distance(scope_of(aligned), target).sum() < 0.2 * distance(own, target).sum()
