"""Sentences about trained models and about a model while it trains."""

from softmerge_core.events import Evaluation, Loss
from softmerge_core.experiments.train.words import (
    accuracy_sentence,
    history_sentence,
    spread_sentence,
    totals,
    training_sentence,
)
from softmerge_core.settings import AttackSettings
from softmerge_core.zoo import LayerInfo, ModelInfo


def test_the_newest_and_the_best_are_told_in_words() -> None:
    def measured(step: int, accuracy: float) -> Evaluation:
        return Evaluation(step=step, series="source", split="validation", accuracy=accuracy, loss=1)

    loss = Loss(step=20, series="source", task=0.5, total=0.5)
    assert training_sentence([]) == "Waiting for the first steps."
    assert training_sentence([loss]) == "At step 20 the loss is 0.500 nats."
    text = training_sentence([measured(10, 0.9), loss, measured(20, 0.8)])
    assert text.endswith("80.0\u00a0% of the validation data are classified correctly (best: 90.0\u00a0%, at step 10).")


def model(title: str, *, test: float | None = None, recorded: bool = True, poisoned: bool = False) -> ModelInfo:
    return ModelInfo(
        name="model",
        title=title,
        how="Not at all.",
        sha256="0",
        accuracy={} if test is None else {"test": test},
        history=((1, 0.5, 0.5),) if recorded else (),
        attack=AttackSettings() if poisoned else None,
    )


def test_the_best_and_the_worst_are_named() -> None:
    assert spread_sentence([model("unknown")]) == "Not measured."
    assert spread_sentence([model("one", test=0.5)]) == "one is right on 50.0\u00a0% of the test samples."
    models = [model("unknown"), model("middle", test=0.6), model("a" * 40, test=0.5), model("high", test=0.7)]
    said = f"On test samples high is best with 70.0\u00a0%, {'a' * 25}\u2026 last with 50.0\u00a0%."
    assert spread_sentence(models, 1000) == said


def test_best_is_said_only_of_what_the_samples_tell_apart() -> None:
    models = [model("middle", test=0.69), model("low", test=0.5), model("high", test=0.7)]
    said = spread_sentence(models, 1000)
    assert "high is highest with 70.0" in said
    assert said.endswith("; 1 other cannot be told apart from the highest.")
    assert "best" not in spread_sentence(models)  # the number of samples is not known


def test_it_is_told_whose_training_is_not_shown() -> None:
    whole, bare, spoiled = model("a"), model("b", recorded=False), model("c", poisoned=True)
    assert history_sentence([bare]).startswith("No training of these was recorded")
    assert history_sentence([whole, whole]).endswith("not smoothed.")
    assert history_sentence([whole, bare]).endswith("; 1 of 2 has no record.")
    assert history_sentence([whole, bare, bare]).endswith("; 2 of 3 have no record.")
    assert history_sentence([whole, spoiled]).endswith("; the poisoned ones before they were spoiled.")


def test_accuracy_and_size_in_words() -> None:
    said = accuracy_sentence({"test": 0.9, "validation": 0.91})
    assert said == (
        "It classifies 90.0\u00a0% of the test samples correctly (91.0\u00a0% of validation, unknown of training)."
    )
    layers = [
        LayerInfo(name=name, kind="Linear", block=name.partition(".")[0], channels=2, parameters=600)
        for name in ("body.0", "body.2", "head")
    ]
    assert totals(layers) == "3 layers in 2 blocks, 1,800 parameters"
    assert totals(layers[:1]) == "1 layer in 1 block, 600 parameters"
