"""Trained models, and a model while it trains, in sentences of plain text. Titles are the users' own."""

from collections.abc import Mapping, Sequence
from itertools import groupby

from softmerge_core.events import Evaluation, Event, Loss, newest
from softmerge_core.experiments.words import clipped, percent, plural
from softmerge_core.statistics import Measured, among_best
from softmerge_core.zoo import LayerInfo, ModelInfo

TITLE = 26  # letters shown of a model's title


def training_sentence(events: Sequence[Event]) -> str:
    """The newest loss and validation accuracy, and the best accuracy so far."""
    loss = newest(events, Loss)
    measured = [event for event in events if isinstance(event, Evaluation) and event.split == "validation"]
    if loss is None:
        return "Waiting for the first steps."
    text = f"At step {loss.step:,} the loss is {loss.task:.3f} nats"
    if not measured:
        return f"{text}."
    best = max(measured, key=lambda event: event.accuracy)
    text += f" and {percent(measured[-1].accuracy)} of the validation data are classified correctly"
    if best.accuracy > measured[-1].accuracy:
        text += f" (best: {percent(best.accuracy)}, at step {best.step:,})"
    return f"{text}."


def accuracy_sentence(accuracy: Mapping[str, float]) -> str:
    """A model's accuracy (0-1) by split."""
    test, validation, train = (percent(accuracy.get(split)) for split in ("test", "validation", "train"))
    return f"It classifies {test} of the test samples correctly ({validation} of validation, {train} of training)."


def spread_sentence(models: Sequence[ModelInfo], samples: int = 0) -> str:
    """The highest and the lowest test accuracy, on so many ``samples`` (0: not known).

    "Best" is said only of a model that these samples tell apart from all others.
    """
    known = [model for model in models if "test" in model.accuracy]
    if not known:
        return "Not measured."
    top, low = (pick(known, key=lambda model: model.accuracy["test"]) for pick in (max, min))
    high, last = ((clipped(model.title, TITLE), percent(model.accuracy["test"])) for model in (top, low))
    if top is low:
        return f"{high[0]} is right on {high[1]} of the test samples."
    tested = {str(place): Measured((model.accuracy["test"],), samples) for place, model in enumerate(known)}
    close = len(among_best(tested)) - 1
    word = "highest" if close else "best"
    text = f"On test samples {high[0]} is {word} with {high[1]}, {last[0]} last with {last[1]}"
    return f"{text}; {plural(close, 'other')} cannot be told apart from the highest." if close else f"{text}."


def history_sentence(models: Sequence[ModelInfo]) -> str:
    """A reading aid for the models' training curves, and the number of models that have none."""
    shown = [model for model in models if model.history]
    if not shown:
        return "No training of these was recorded: they were uploaded or merged, or are copies."
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
