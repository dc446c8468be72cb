"""The candidates that a merge is measured against, and the choice among them."""

import math

import pytest
import torch

from softmerge_core.anatomy import describe
from softmerge_core.evaluation import ensemble_log_probabilities, evaluate, predict, score
from softmerge_core.flat import FlatSources
from softmerge_core.merging.candidates import Judge, baselines, choose, surely_better, why
from softmerge_core.merging.result import Candidate
from tests.networks_for_tests import make_data, train_sources


def candidate(name: str, loss: float, accuracy: float = 0.5, each: tuple[float, ...] = ()) -> Candidate:
    title = {"average": "plain average"}.get(name, name)
    right = tuple(number < round(1000 * accuracy) for number in range(1000))
    return Candidate(name, title, loss, accuracy, each or (loss - 0.001, loss, loss + 0.001), right)


def test_baselines_are_what_they_are_called() -> None:
    data = make_data()
    sources = train_sources("perceptron", 3, data)
    inputs, labels = data.validation_inputs, data.validation_labels
    outputs = [source(inputs).log_softmax(1).detach() for source in sources]
    flat = FlatSources(sources, describe(sources[0]))
    found, best = baselines(flat.average(), Judge(data, "cpu", torch.float32), ["a", "b", "c"], outputs)
    each = {name: evaluate(source, inputs, labels) for name, source in zip("abc", sources, strict=True)}
    assert all((found[name].accuracy, found[name].loss) == pytest.approx(pair) for name, pair in each.items())
    assert best == min(each, key=lambda name: each[name][1])
    assert found["best_source"].loss == pytest.approx(min(pair[1] for pair in each.values()))
    together = score(ensemble_log_probabilities(sources, inputs), labels)
    assert (found["ensemble"].accuracy, found["ensemble"].loss) == pytest.approx(together, abs=1e-6)
    assert found["average"].loss == pytest.approx(evaluate(flat.average(), inputs, labels)[1])


def test_what_sources_predict_together_takes_the_place_of_labels() -> None:
    data = make_data()
    sources = train_sources("perceptron", 2, data)
    outputs = [predict(source, data.validation_inputs).log_softmax(1).detach() for source in sources]
    judge = Judge(data, "cpu", torch.float32)
    plain = judge.outputs(outputs[0])
    judge.match(sources, outputs)
    mean = (outputs[0].double().exp() + outputs[1].double().exp()) / 2
    found = judge.outputs(outputs[0])
    assert found.loss == pytest.approx(float(-(mean * outputs[0].double()).sum(1).mean()))
    assert found.right.tolist() == (outputs[0].argmax(1) == mean.argmax(1)).tolist()
    assert found.accuracy == plain.accuracy
    train = torch.stack([predict(source, data.train_inputs).softmax(1) for source in sources]).mean(0)
    assert torch.allclose(judge.train_targets, train, atol=1e-6)


def named(*found: Candidate) -> dict[str, Candidate]:
    return {each.name: each for each in found}


def test_what_is_surely_lower_wins_and_nan_never_does() -> None:
    found = named(candidate("a", 0.5), candidate("b", math.nan), candidate("c", 0.4))
    assert choose(found, ["a", "b", "c"], []) == "c"
    assert choose(found, ["b", "a"], []) == "a"
    assert choose(found, ["a", "b"], []) == "a"
    found |= named(candidate("average", 0.3), candidate("best_source", 0.2))
    assert choose(found, ["a", "c"], ["average", "best_source"]) == "best_source"


def test_nothing_replaces_the_coarsest_gates_by_luck() -> None:
    kept = candidate("model", 2.5, each=(1.0, 2.0, 3.0, 4.0))
    luck = candidate("layer", 2.35, each=(1.3, 1.4, 2.85, 3.85))  # lower by 0.15, give or take 0.2
    sure = candidate("layer", 2.4, each=(0.9, 1.95, 2.9, 3.85))
    assert choose(named(kept, luck), ["model", "layer"], []) == "model"
    assert choose(named(kept, sure), ["model", "layer"], []) == "layer"
    assert not surely_better(candidate("a", 0.1, each=(0.1,)), candidate("b", 0.2, each=(0.2,)))  # one sample


def test_what_is_simple_is_kept_over_gates_that_luck_favours() -> None:
    average = candidate("average", 1.0, each=(0.8, 0.9, 1.1, 1.2))
    best = candidate("best_source", 3.0, each=(2.9, 3.0, 3.0, 3.1))
    near = candidate("best_source", 1.02, each=(1.3, 0.6, 0.98, 1.2))
    lucky = candidate("model", 0.95, each=(0.6, 1.0, 0.9, 1.3))  # lower by 0.05, give or take 0.08
    likely = candidate("model", 0.9, each=(0.6, 0.9, 1.0, 1.1))  # by 0.1, give or take 0.04
    whole = ["average", "best_source"]
    assert choose(named(average, lucky, near), ["model"], whole) == "average"
    assert choose(named(average, likely, near), ["model"], whole) == "model"
    assert choose(named(average, likely, best), ["model"], whole) == "average"  # is surely better than the best source
    assert choose(named(average, lucky, best), ["model"], []) == "model"  # where it is the only simple one
    bad = candidate("average", 5.0, each=(4.9, 5.0, 5.0, 5.1))
    assert (
        choose(named(bad, candidate("model", 2.95, each=(2.6, 3.0, 3.1, 3.1)), best), ["model"], whole) == "best_source"
    )


def test_where_one_source_is_left_it_is_the_best_source_and_no_average() -> None:
    average, best = candidate("average", 1.0 + 1e-9), candidate("best_source", 1.0)
    assert choose(named(average, best, candidate("model", 1.0)), ["model"], ["average", "best_source"]) == "best_source"


def test_gates_that_surely_classify_more_win_at_no_higher_a_loss() -> None:
    kept, same = candidate("model", 1.0, 0.80, (0.5, 1.0, 1.5)), (0.8, 0.5, 1.7)
    assert choose(named(kept, candidate("channel", 1.0, 0.85, same)), ["model", "channel"], []) == "channel"
    assert choose(named(kept, candidate("channel", 1.0, 0.80, same)), ["model", "channel"], []) == "model"
    higher = candidate("channel", 1.01, 0.85, (0.8, 0.53, 1.7))
    assert choose(named(kept, higher), ["model", "channel"], []) == "model"


def test_of_few_samples_more_is_asked_than_two_standard_errors() -> None:
    few = (0.5, 1.0, 1.5)  # means that are 3 standard errors above 0, at 2 and at 299 degrees of freedom
    factor = 3 * 0.5 / 3**0.5
    gains = tuple(each - 1.0 + factor for each in few)
    assert not surely_better(candidate("a", 0.0, each=(0.0,) * 3), candidate("b", 1.0, each=gains))
    many = tuple(each - 1.0 + 3 * 0.41 / 300**0.5 for each in few * 100)
    assert surely_better(candidate("a", 0.0, each=(0.0,) * 300), candidate("b", 1.0, each=many))


def test_a_lower_loss_that_costs_accuracy_does_not_win_over_the_best_source() -> None:
    best = candidate("best_source", 2.0, 0.70)
    found = named(best, candidate("model", 2.1, 0.70), candidate("layer", 1.0, 0.69), candidate("channel", 1.5, 0.697))
    found |= named(candidate("average", 9.0, 0.1))
    whole = ["average", "best_source"]
    assert choose(found, ["model", "layer", "channel"], whole) == "channel"
    assert choose(found, ["model", "layer"], whole) == "best_source"
    assert choose(found, ["layer"], whole) == "best_source"  # surely classifies more, at a higher loss
    assert choose(found, ["layer", "channel"], []) == "layer"


def test_the_reason_names_both_rivals_in_readable_numbers() -> None:
    candidates = {
        "layer": candidate("layer gates", 0.25),
        "best_source": candidate("best source (a)", 0.5),
        "average": candidate("average", 56940.8),
    }
    text = why(candidates, "layer", "won: validation loss")
    assert text == (
        "Layer gates won: validation loss 0.250, against 0.500 for the best source (a) and 5.7\u00a0×\u00a010⁴ "
        "for the plain average."
    )


def test_an_evaluation_computes_the_validation_samples_and_those_of_batchnorm() -> None:
    data = make_data()
    judge = Judge(data, "cpu", torch.float32)
    train, validation = len(data.train_labels), len(data.validation_labels)
    plain, normed = torch.nn.Linear(2, 2), torch.nn.BatchNorm1d(2)
    assert judge.evaluations(plain, 10 * validation, 3) == 10
    assert judge.evaluations(normed, 2 * (train + validation), 0) == 2
    assert judge.evaluations(normed, validation, 1) == 1
