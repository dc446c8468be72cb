"""Fine-tuning: merges by another method, then trains the merged network as usual."""

from typing import TYPE_CHECKING

from softmerge_core.errors import SettingsError
from softmerge_core.methods.base import Material, Method
from softmerge_core.methods.shared import draw_seed, merge_data, tuned
from softmerge_core.settings import Settings, setting

if TYPE_CHECKING:
    from torch import nn


class FineTuningSettings(Settings):
    """The merge to start from, and the training after it."""

    start: str = setting("average", "Start", "The method that merges first, with its usual settings.")
    epochs: int = setting(2, "Epochs", "How many times training goes through all samples.", ge=1, le=10_000)
    learning_rate: float = setting(0.003, "Learning rate", "Adam's step size.", gt=0, le=1)
    batch_size: int = setting(128, "Batch size", "Training samples in each step.", ge=1, le=65_536, more=True)


def merge(material: Material, settings: FineTuningSettings) -> "nn.Module":
    """Return the network of the method ``start`` (given the base model if it needs one), trained on cross-entropy."""
    return tuned(material, _start(material, settings.start), **settings.model_dump(exclude={"start"}))


def _start(material: Material, name: str) -> "nn.Module":
    """Merge through ``methods.merge``, which gives the method only what it declares to need."""
    from softmerge_core.methods import find_method, merge

    if find_method(name).reference or name == METHOD.name:
        raise SettingsError(f"start: {name!r} gives no network to train; expected another method")
    return merge(
        name,
        material.sources,
        merge_data(material),
        names=material.names,
        base=material.base,
        seed=draw_seed(material),
        should_stop=material.should_stop,
    )


METHOD = Method(
    name="fine_tuning",
    title="Fine-tuned merge",
    short="Fine-tuned",
    summary="Merges by another method, then trains the merged network for a few epochs.",
    paper="",
    needs=frozenset({"inputs", "labels"}),
    optional=frozenset({"base"}),
    settings=FineTuningSettings,
    merge=merge,
    ordered=True,  # because the start may be
    idempotent=False,
    random=True,
)
