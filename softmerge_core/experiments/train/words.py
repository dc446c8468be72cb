"""Trained models, and a model while it trains, in sentences of plain text. Titles are the users' own."""

from collections.abc import Mapping, Sequence
from itertools import groupby

from softmerge_core.events import Evaluation, Event, Loss
from softmerge_core.experiments.words import clipped, plural, unbroken
from softmerge_core.zoo import LayerInfo, ModelInfo

TITLE = 26  # letters shown of a model's title


def training_sentence(events: Sequence[Event]) -> str:
    """The newest loss and validation accuracy, and the best accuracy so far."""
    loss = next((event for event in reversed(events) if isinstance(event, Loss)), None)
    measured = [event for event in events if isinstance(event, Evaluation) and event.split == "validation"]
    if loss is None:
        return "Waiting for the first steps."
    text = f"At step {loss.step:,} the loss is {loss.task:.3f} nats"
    if not measured:
        return f"{text}."
    best = max(measured, key=lambda event: event.accuracy)
    text += f" and {unbroken(measured[-1].accuracy)} of the validation data are classified correctly"
    if best.accuracy > measured[-1].accuracy:
        text += f" (best: {unbroken(best.accuracy)}, at step {best.step:,})"
    return f"{text}."


def accuracy_sentence(accuracy: Mapping[str, float]) -> str:
    """A model's accuracy (0-1) by split."""
    test, validation, train = (unbroken(accuracy.get(split)) for split in ("test", "validation", "train"))
    return f"It classifies {test} of the test samples correctly ({validation} of validation, {train} of training)."


def spread_sentence(models: Sequence[ModelInfo]) -> str:
    """The best and the worst model by test accuracy."""
    known = [model for model in models if "test" in model.accuracy]
    if not known:
        return "Not measured."
    best, worst = (pick(known, key=lambda model: model.accuracy["test"]) for pick in (max, min))
    text = f"On test samples {clipped(best.title, TITLE)} is best with {unbroken(best.accuracy['test'])}"
    if best is not worst:
        text += f", {clipped(worst.title, TITLE)} last with {unbroken(worst.accuracy['test'])}"
    return f"{text}."


def history_sentence(models: Sequence[ModelInfo]) -> str:
    """A reading aid for the models' training curves, and the number of models that have none."""
    shown = [model for model in models if model.history]
    if not shown:
        return "No training of these was recorded: they were uploaded, or are copies."
    text = "Validation accuracy and mean training loss, not smoothed"
    if any(model.attack for model in shown):
        return f"{text}; the poisoned ones before they were spoiled."
    missing = len(models) - len(shown)
    if not missing:
        return f"{text}."
    return f"{text}; {missing} of {len(models)} {'has' if missing == 1 else 'have'} no record."


def totals(layers: Sequence[LayerInfo]) -> str:
    """The size of a network."""
    blocks = len(list(groupby(layer.block for layer in layers)))
    parameters = sum(layer.parameters for layer in layers)
    return f"{plural(len(layers), 'layer')} in {plural(blocks, 'block')}, {parameters:,} parameters"
