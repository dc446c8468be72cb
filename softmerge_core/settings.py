"""Settings: frozen models whose fields carry the label, the range and the help from which forms are built."""

import re
import types
import typing
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, WithJsonSchema, model_validator

from softmerge_core.attacks import attacks
from softmerge_core.devices import device_name
from softmerge_core.errors import SettingsError
from softmerge_core.problems import problems

Granularity = Literal["auto", "model", "module", "layer", "channel"]
Objective = Literal["labels", "ensemble"]
LONGEST_PLACE = 1000  # letters
PartChoice = str  # "gate", "average", or "keep:<source index>"
Penalty = Annotated[float, Field(ge=0, le=10)]
Temperature = Annotated[float, Field(ge=0.05, le=5)]
LearningRate = Annotated[float, Field(gt=0, le=1e30)]


class Frozen(BaseModel):
    """Base of everything that is written as JSON: frozen, and without unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)  # JSON has no word for them


class Settings(Frozen):
    """Base of all settings. Fields are declared with ``setting``; forms hide those marked ``more`` at first."""


def setting(default: Any, label: str, help: str, *, more: bool = False, **limits: Any) -> Any:
    """Declare a field with a label, a one-sentence help, and pydantic limits (ge, le, gt, lt) or ``examples``."""
    return Field(default, title=label, description=help, json_schema_extra={"more": more}, **limits)


def number_kind(annotation: Any) -> type[int] | type[float] | None:
    """The kind of number that a field annotated so holds, also where it may be left out; None where it is no number."""
    if get_origin(annotation) in (types.UnionType, typing.Union):
        annotation = next((part for part in get_args(annotation) if part is not type(None)), None)
    if annotation is int:
        return int
    return float if annotation is float else None


def parse(model: type[Frozen], values: Any, what: str) -> Any:
    """Return ``values`` (a dict or JSON text) as a ``model``; raises SettingsError, which names the wrong fields."""
    try:
        if isinstance(values, (str, bytes)):
            return model.model_validate_json(values)
        return model.model_validate(values)
    except ValidationError as error:
        raise SettingsError(f"{what}: {problems(model, error)}") from error
    except RecursionError as error:
        raise SettingsError(f"{what}: expected a few levels, got values within values without end") from error


def _place(text: str) -> str:
    if len(text) > LONGEST_PLACE or any(len(part.encode(errors="replace")) > 255 for part in text.split("/")):
        raise ValueError(f"expected at most {LONGEST_PLACE} letters, and 255 in each name, got {len(text):,}")
    if "\0" in text:
        raise ValueError("expected a name or a path, got one with a zero byte")
    return text


Place = Annotated[str, AfterValidator(_place)]  # the name of a model or data set, or the path of a file


class SoftMergeSettings(Settings):
    """The settings of gates and of their training (arXiv 2309.12259; hard concrete: arXiv 1712.01312)."""

    granularity: Granularity = setting(
        "auto",
        "Granularity",
        "The part of the network that one gate controls. Auto goes from coarse to fine and keeps what validates best.",
    )
    parts: dict[str, PartChoice] = setting(
        {}, "Parts", 'For each layer, by name: "gate", "average", or "keep:0" for the first source.', more=True
    )
    penalty: Penalty = setting(
        0.002, "Penalty", "The price of an open gate: the weight of the expected L0 norm in the loss."
    )
    temperature: Temperature = setting(
        2 / 3, "Temperature", "The hard concrete's beta: lower values make gates more like on/off."
    )
    learning_rate: LearningRate = setting(
        0.1, "Learning rate", "The optimiser's step size for gate logits, the log-odds that gates are open."
    )
    steps: int = setting(
        400, "Steps of each stage", "Training steps of each stage: auto has up to five, else there is one.",
        ge=1, le=100_000,
    )  # fmt: skip
    objective: Objective = setting(
        "labels",
        "Objective",
        "Predict the labels, or, without looking at any label, what all sources predict together.",
        more=True,
    )
    seed: int = setting(0, "Seed", "Fixes every random choice: the same seed gives the same gates.", ge=0, le=2**31 - 1)
    batch_size: int = setting(128, "Batch size", "Training samples in each step.", ge=1, le=65_536, more=True)
    optimiser: Literal["adam", "sgd"] = setting("adam", "Optimiser", "The method that trains the gates.", more=True)
    initial_open_probability: float = setting(
        0.9, "Initially open", "The share of gates that are open before training.", gt=0, lt=1, more=True
    )
    stretch: tuple[float, float] = setting(
        (-0.1, 1.1),
        "Stretch",
        "Gamma and zeta: the ends of the stretched concrete distribution.",
        more=True,
    )
    normalise: bool = setting(
        True,
        "Normalise",
        "Divide the gates of each part by their sum, so that the merged weights keep their size.",
        more=True,
    )
    rescale: bool = setting(
        False,
        "Rescale",
        "Also learn a factor for each channel; a single source gains from that too, so it is measured beside.",
        more=True,
    )
    relative: bool = setting(
        False,
        "Relative to the base",
        "Gate what each source has learned since their common base model, if one is known; auto tries it as well.",
        more=True,
    )
    evaluate_every: int = setting(
        25,
        "Evaluate every",
        "The number of steps between two evaluations on the validation data.",
        ge=1,
        le=100_000,
        more=True,
    )
    non_finite: Literal["refuse", "exclude"] = setting(
        "refuse",
        "NaN or Inf weights",
        "Refuse sources with NaN or Inf in their weights, or leave them out with a notice.",
        more=True,
    )
    device: Annotated[str, AfterValidator(device_name)] = setting(
        "cpu",
        "Device",
        "What the gates are trained on: the CPU, or a GPU; auto takes a GPU where there is one.",
        more=True,
    )

    @model_validator(mode="after")
    def _consistent(self) -> "SoftMergeSettings":
        low, high = self.stretch
        if not (low < 0 < 1 < high):
            raise ValueError(f"stretch must reach below 0 and above 1, got {self.stretch}")
        for part, choice in self.parts.items():
            if choice not in ("gate", "average") and not re.fullmatch(r"keep:\d{1,9}", choice, re.ASCII):
                told = f"part {part[:80]!r}: expected"
                raise ValueError(f'{told} "gate", "average" or "keep:<number>", got {choice[:40]!r}')
        return self


class TrainSettings(Settings):
    """The settings of ordinary training of one source, by SGD or Adam on cross-entropy."""

    epochs: int = setting(20, "Epochs", "How many times training goes through all samples.", ge=1, le=10_000)
    learning_rate: float = setting(0.01, "Learning rate", "The optimiser's step size.", gt=0, le=1e30)
    optimiser: Literal["adam", "sgd"] = setting("adam", "Optimiser", "The method that trains the weights.")
    seed: int = setting(0, "Seed", "Fixes the first weights, the order of samples and the noise.", ge=0, le=2**31 - 1)
    share: float = setting(1.0, "Data share", "The share of the training samples that this source sees.", gt=0, le=1)
    classes: tuple[int, ...] = setting((), "Classes", "The classes that are seen; if empty, all of them.", more=True)
    label_noise: float = setting(
        0.0, "Label noise", "The share of labels replaced by random ones.", ge=0, le=1, more=True
    )
    feature_noise: float = setting(
        0.0,
        "Feature noise",
        "Gaussian noise on the inputs, in units of their standard deviation.",
        ge=0,
        le=100,
        more=True,
    )
    batch_size: int = setting(128, "Batch size", "Training samples in each step.", ge=1, le=65_536, more=True)
    momentum: float = setting(0.9, "Momentum", "The momentum of SGD; Adam ignores it.", ge=0, lt=1, more=True)
    weight_decay: float = setting(0.0, "Weight decay", "The pull of weights toward zero.", ge=0, le=1, more=True)
    schedule: Literal["constant", "cosine"] = setting(
        "constant", "Schedule", "Keep the learning rate, or let it fall to zero along a cosine.", more=True
    )


def _known_attack(name: str) -> str:
    if name not in attacks():
        raise ValueError(f"expected one of: {', '.join(attacks())}")
    return name


AttackKind = Annotated[
    str,
    AfterValidator(_known_attack),
    WithJsonSchema({"type": "string", "enum": list(attacks())}),
]


class AttackSettings(Settings):
    """An attack on a copy of a source. The copy takes the source's place; the source itself is never changed."""

    kind: AttackKind = setting("extreme", "Attack", "The way the copy is spoiled.")
    strength: float = setting(
        50.0,
        "Strength",
        "A factor on weights or confidence, noise in standard deviations of each tensor, or epochs on flipped labels.",
        ge=0,
        le=1e6,
    )
    seed: int = setting(0, "Seed", "Fixes the noise.", ge=0, le=2**31 - 1)


class SourceSpec(Frozen):
    """One source: a zoo model ``family/name``, a library model ``library/name``, or the path of a weights file."""

    model: Place = Field(description="family/name, library/name, or the path of a weights file.")
    attack: AttackSettings | None = Field(
        None, description="The attack on a copy of it before merging; none by default."
    )


class DataSpec(Frozen):
    """The samples on which gates are trained, validated and tested.

    ``dataset`` is the name of a built-in data set, or the path of an ``.npz`` with train_inputs, train_labels,
    validation_inputs, validation_labels (and optionally test_inputs, test_labels).
    """

    dataset: Place = Field("mnist1d", description="The name of a built-in data set, or the path of an .npz.")
    train_samples: int | None = Field(
        None, ge=0, description="The number of training samples to use at most; none means all."
    )
    validation_samples: int | None = Field(
        None, ge=0, description="The number of validation samples to use at most; none means all."
    )
