"""Accuracy, loss, ensembles and BatchNorm statistics against naive float64 computations."""

import math

import pytest
import torch
from torch import nn

from softmerge_core.evaluation import (
    best_source,
    calibration_error,
    ensemble_log_probabilities,
    evaluate,
    has_batchnorm,
    lowest_loss,
    predict,
    reestimate_batchnorm,
    score,
)
from tests.networks_for_tests import make_data, make_sources


def test_score_agrees_with_counting() -> None:
    logits = torch.tensor([[2.0, 0.0], [0.0, 1.0], [3.0, 1.0]])
    labels = torch.tensor([0, 0, 0])
    accuracy, loss = score(logits, labels)
    expected = sum(math.log(sum(math.exp(x) for x in row)) - row[0] for row in logits.tolist()) / 3
    assert accuracy == pytest.approx(2 / 3)
    assert loss == pytest.approx(expected, abs=1e-12)


def test_predicting_in_batches_changes_nothing_and_restores_the_mode() -> None:
    network = make_sources("convolutional", 1)[0].train()
    inputs = torch.randn(2500, 12, generator=torch.Generator().manual_seed(0))
    outputs = predict(network, inputs)
    assert network.training
    assert torch.allclose(outputs, network.eval()(inputs), atol=1e-6)


def test_an_ensemble_is_the_mean_of_probabilities() -> None:
    networks, data = make_sources("perceptron", 3), make_data()
    probabilities = torch.stack([network(data.train_inputs).softmax(1) for network in networks]).mean(0)
    got = ensemble_log_probabilities(networks, data.train_inputs)
    assert torch.allclose(got.exp(), probabilities, atol=1e-6)


def test_the_lowest_loss_wins_the_first_of_equals_and_never_nan() -> None:
    assert lowest_loss([0.5, 0.2, 0.2]) == 1
    assert lowest_loss([math.nan, 0.5, math.inf]) == 1
    assert lowest_loss([math.nan, math.nan]) == 0


def test_the_best_source_has_the_lowest_loss() -> None:
    networks, data = make_sources("perceptron", 4), make_data()
    losses = [evaluate(network, data.validation_inputs, data.validation_labels)[1] for network in networks]
    assert len(set(losses)) == 4
    assert best_source(networks, data.validation_inputs, data.validation_labels) == losses.index(min(losses))


def test_reestimated_statistics_are_those_of_the_data() -> None:
    network = nn.Sequential(nn.BatchNorm1d(12), nn.Linear(12, 3)).eval()
    inputs = torch.randn(512, 12, generator=torch.Generator().manual_seed(0)) * 3 + 2
    weights = [parameter.clone() for parameter in network.parameters()]
    reestimate_batchnorm(network, inputs, batch_size=128)
    assert torch.allclose(network[0].running_mean, inputs.mean(0), atol=1e-5)
    batches = torch.stack([batch.var(0) for batch in inputs.split(128)]).mean(0)
    assert torch.allclose(network[0].running_var, batches, rtol=1e-5)
    assert not any(module.training for module in network.modules())
    assert network[0].momentum == 0.1
    assert all(torch.equal(new, old) for new, old in zip(network.parameters(), weights, strict=True))


def test_without_batchnorm_or_with_one_sample_nothing_changes() -> None:
    plain = make_sources("perceptron", 1)[0]
    assert not has_batchnorm(plain)
    reestimate_batchnorm(plain, torch.zeros(4, 12))
    normed = nn.Sequential(nn.BatchNorm1d(12), nn.Linear(12, 3))
    assert has_batchnorm(normed)
    reestimate_batchnorm(normed, torch.ones(1, 12))
    assert normed[0].running_mean.tolist() == [0.0] * 12
    assert evaluate(normed, torch.ones(1, 12), torch.tensor([0]))[1] > 0


def test_calibration_error_agrees_with_a_plain_loop() -> None:
    generator = torch.Generator().manual_seed(0)
    logits, labels = torch.randn(500, 4, generator=generator), torch.randint(4, (500,), generator=generator)
    confidence, decided = logits.double().softmax(1).max(1)
    expected = 0.0
    for low in range(15):
        inside = [i for i, c in enumerate(confidence.tolist()) if low / 15 < c <= (low + 1) / 15]
        if inside:
            right = sum(int(decided[i] == labels[i]) for i in inside) / len(inside)
            mean = sum(confidence[i].item() for i in inside) / len(inside)
            expected += len(inside) / 500 * abs(right - mean)
    assert calibration_error(logits, labels) == pytest.approx(expected, abs=1e-12)


def test_a_network_that_is_always_right_and_sure_is_calibrated() -> None:
    labels = torch.arange(10) % 3
    assert calibration_error(100 * torch.nn.functional.one_hot(labels, 3).float(), labels) == pytest.approx(0, abs=1e-9)
    assert calibration_error(torch.zeros(9, 3), torch.arange(9) % 3) == pytest.approx(0, abs=1e-9)


def test_each_module_goes_back_into_its_own_mode() -> None:
    """Many train with BatchNorm frozen: its mode is not the network's."""
    network = make_sources("convolutional", 1)[0].train()
    network[2].eval()
    before = [module.training for module in network.modules()]
    predict(network, make_data(4).train_inputs)
    assert [module.training for module in network.modules()] == before
    with pytest.raises(RuntimeError):
        predict(network, torch.zeros(2, 13))
    assert [module.training for module in network.modules()] == before
