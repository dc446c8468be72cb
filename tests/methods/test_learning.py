"""Methods that learn: their gradients, their losses and results, and the settings they refuse."""

import copy
import itertools
import math
import re

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parameters_to_vector

from softmerge_core.errors import NotFoundError, SettingsError, SourceError
from softmerge_core.evaluation import evaluate, predict
from softmerge_core.methods import available_methods, merge
from softmerge_core.methods.adamerging import entropy
from softmerge_core.methods.base import Material
from softmerge_core.methods.learned_soup import scale_outputs
from softmerge_core.methods.modules.student import drawn_anew, loss_of, teacher_of
from softmerge_core.methods.shared import Mixture
from softmerge_core.networks import build_network, find_network, networks
from softmerge_core.settings import parse
from tests.methods.test_maths import DATA, KINDS, arrays, as_vector, base_of, sources_of
from tests.networks_for_tests import perceptron


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("granularity", ["model", "layer"])
def test_the_gradient_of_a_mixture_is_its_finite_difference(kind: str, granularity: str) -> None:
    """Learned soup and AdaMerging depend on this gradient of a task loss, with and without a base."""
    material = Material(tuple(sources_of(kind, 3)), ("a", "b", "c"), torch.Generator())
    inputs, labels = DATA.train_inputs[:8], DATA.train_labels[:8]
    for based in (False, True):
        flat = material.flat()
        base = flat.flatten(base_of(kind)) if based else None
        mixture = Mixture(flat, granularity, base)
        weights = torch.rand(mixture.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)

        def loss(at: Tensor, mixture: Mixture = mixture) -> float:
            with torch.no_grad():
                return float(nn.functional.cross_entropy(mixture.write(at)(inputs), labels))

        variable = weights.clone().requires_grad_(True)
        value = mixture.backward(variable * 1, inputs, lambda out: nn.functional.cross_entropy(out, labels))
        assert value == pytest.approx(loss(weights))
        assert variable.grad is not None
        for place in itertools.product(*map(range, mixture.shape)):
            step = torch.zeros_like(weights)
            step[place] = 1e-6
            slope = (loss(weights + step) - loss(weights - step)) / 2e-6
            assert variable.grad[place].item() == pytest.approx(slope, rel=1e-4, abs=1e-7)


def test_tuning_after_soft_merging_starts_from_it_and_lowers_the_loss_it_trains_on() -> None:
    sources, seen = sources_of(), (DATA.train_inputs, DATA.train_labels)
    soft, tuned = merge("soft", sources, DATA), merge("soft_fine_tuning", sources, DATA, epochs=20)
    assert evaluate(tuned, *seen)[1] < evaluate(soft, *seen)[1]
    still = merge("soft_fine_tuning", sources, DATA, epochs=1, learning_rate=1e-12)
    assert torch.allclose(parameters_to_vector(still.parameters()), parameters_to_vector(soft.parameters()), atol=1e-6)


def test_learned_soup_and_adamerging_lower_what_they_learn_on() -> None:
    sources, base = sources_of(), base_of("perceptron")
    learned, plain = merge("learned_soup", sources, DATA, steps=60), merge("average", sources)
    inputs, labels = DATA.validation_inputs, DATA.validation_labels
    assert evaluate(learned, inputs, labels)[1] < evaluate(plain, inputs, labels)[1]
    ada = merge("adamerging", sources, DATA, base=base, steps=60)
    start = merge("task_arithmetic", sources, base=base, scale=0.3)
    assert entropy(predict(ada, inputs)) < entropy(predict(start, inputs))


def test_the_scale_of_the_logits_goes_into_the_last_linear_layer() -> None:
    inputs = DATA.validation_inputs
    for kind in KINDS:
        network = sources_of(kind, 1)[0]
        before = predict(network, inputs)
        assert scale_outputs(network, inputs[:1], 1.7)
        torch.testing.assert_close(predict(network, inputs), 1.7 * before)
    bent = nn.Sequential(perceptron(), nn.Tanh()).double()
    before = predict(bent, inputs)
    assert not scale_outputs(bent, inputs[:1], 1.7)
    assert torch.equal(predict(bent, inputs), before)


def test_entropy() -> None:
    p = torch.tensor([[0.5, 0.25, 0.25], [1 / 3, 1 / 3, 1 / 3]], dtype=torch.float64)
    assert entropy(p.log() + 7).item() == pytest.approx((1.5 * math.log(2) + math.log(3)) / 2)


def test_the_loss_of_distillation() -> None:
    sources = sources_of()
    student = predict(base_of("perceptron"), DATA.train_inputs)
    found = loss_of(student, teacher_of(sources, DATA.train_inputs, 3.0), DATA.train_labels, 0.7, 3.0).item()
    soft = [np.exp(predict(s, DATA.train_inputs).numpy() / 3) for s in sources]
    teacher = sum(x / x.sum(1, keepdims=True) for x in soft) / 4
    cooled = student.numpy() / 3
    log_student = cooled - np.log(np.exp(cooled).sum(1, keepdims=True))
    apart = (teacher * (np.log(teacher) - log_student)).sum(1).mean()
    logs = student.numpy() - np.log(np.exp(student.numpy()).sum(1, keepdims=True))
    task = -logs[np.arange(len(logs)), DATA.train_labels.numpy()].mean()
    assert found == pytest.approx(0.7 * 9 * apart + 0.3 * task)


def test_a_distilled_student_comes_closer_to_its_teachers() -> None:
    sources = sources_of()
    inputs = DATA.train_inputs
    target = predict(merge("ensemble", sources), inputs).exp()

    def distance(network: nn.Module) -> float:
        return (predict(network, inputs).softmax(1) - target).abs().mean().item()

    for start in ("average", "best_source"):
        student = merge("distillation", sources, DATA, start=start, alpha=1.0, temperature=1.0, steps=100)
        assert distance(student) < distance(merge("average", sources))


def test_the_control_of_distillation_is_distillation_without_a_teacher() -> None:
    sources, how = sources_of(), {"steps": 20, "learning_rate": 0.01, "seed": 3}
    alone, untaught = (
        merge("fine_tuned_source", sources, DATA, **how),
        merge("distillation", sources, DATA, **how, alpha=0),
    )
    assert torch.equal(parameters_to_vector(alone.parameters()), parameters_to_vector(untaught.parameters()))
    taught = merge("distillation", sources, DATA, **how)
    assert not torch.equal(parameters_to_vector(alone.parameters()), parameters_to_vector(taught.parameters()))


@pytest.mark.parametrize("name", sorted(networks()))
def test_weights_drawn_anew_are_as_those_of_a_fresh_network(name: str) -> None:
    """Spread and mean of every tensor as when it is built, another seed draws others, and nothing is kept."""
    shape = (1, 8, 8) if "image" in find_network(name).takes else (1, 40)
    fresh, trained = (build_network(name, shape, 10, seed) for seed in (0, 1))
    before = torch.get_rng_state()
    one, other = (drawn_anew(copy.deepcopy(trained), seed) for seed in (2, 3))
    assert torch.equal(before, torch.get_rng_state())
    for key, value in one.state_dict().items():
        usual, kept = fresh.state_dict()[key].float(), trained.state_dict()[key]
        if usual.std(correction=0) > 0 and usual.numel() > 60:
            assert float(value.std()) == pytest.approx(float(usual.std()), rel=0.35), key
            assert not torch.equal(value, kept), key
            assert not torch.equal(value, other.state_dict()[key]), key


@pytest.mark.parametrize("start", ["average", "krum", "ties", "regmean", "greedy_soup"])
def test_fine_tuning_goes_on_from_a_merge(start: str) -> None:
    sources, base = sources_of(), base_of("perceptron")
    begun = merge(start, sources, DATA, base=base)
    tuned = merge("fine_tuning", sources, DATA, base=base, start=start, epochs=20)
    still = merge("fine_tuning", sources, DATA, base=base, start=start, epochs=1, learning_rate=1e-12)
    assert np.abs(as_vector(arrays(still)) - as_vector(arrays(begun))).max() < 1e-9
    losses = [evaluate(network, DATA.train_inputs, DATA.train_labels)[1] for network in (begun, tuned)]
    assert losses[1] < losses[0]


def test_what_fine_tuning_cannot_start_from_is_refused() -> None:
    for start in ("fine_tuning", "ensemble"):
        with pytest.raises(SettingsError, match="start"):
            merge("fine_tuning", sources_of(), DATA, start=start)
    with pytest.raises(NotFoundError, match="nothing"):
        merge("fine_tuning", sources_of(), DATA, start="nothing")
    with pytest.raises(SourceError, match="TIES needs the base model"):
        merge("fine_tuning", sources_of(), DATA, start="ties")


def test_weights_by_hand_that_do_not_fit_are_refused() -> None:
    for weights in ((1.0,), (1.0, 1.0, 1.0, -1.0), (0.0,) * 4):
        with pytest.raises(SettingsError, match="weights: expected 4 numbers"):
            merge("weighted_average", sources_of(), DATA, weights=weights)


def test_settings_of_every_method_refuse_what_is_out_of_range() -> None:
    for method in available_methods().values():
        for name, field in method.settings.model_fields.items():
            if field.annotation in (int, float):
                with pytest.raises(SettingsError, match=re.escape(field.title or name)):
                    parse(method.settings, {name: float("nan")}, method.title)
