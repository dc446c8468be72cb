"""Settings: frozen models whose fields carry the label, range and one-sentence help that every form is built from."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, WithJsonSchema, model_validator

from softmerge_core.attacks import attacks
from softmerge_core.errors import SettingsError

Granularity = Literal["auto", "model", "module", "layer", "channel"]
PartChoice = str  # "gate", "average", or "keep:<source index>"


class Frozen(BaseModel):
    """Base of everything that is written down as JSON: frozen, and no unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Settings(Frozen):
    """Base of all settings. Fields are declared with ``setting``; ``more`` marks those a form hides at first."""


def setting(default: Any, label: str, help: str, *, more: bool = False, **limits: Any) -> Any:
    """A field with a label, a one-sentence help, and pydantic limits (ge, le, gt, lt)."""
    return Field(default, title=label, description=help, json_schema_extra={"more": more}, **limits)


def parse(model: type[Frozen], values: Any, what: str) -> Any:
    """``values`` (a dict, or JSON text) as ``model``; raises SettingsError naming each field that does not fit."""
    try:
        if isinstance(values, (str, bytes)):
            return model.model_validate_json(values)
        return model.model_validate(values)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, item['loc'])) or 'the whole'}: {item['msg']} (got {str(item['input'])[:80]!r})"
            for item in error.errors()
        )
        raise SettingsError(f"{what}: {problems}") from error


class SoftMergeSettings(Settings):
    """How gates are laid over the sources and trained (arXiv 2309.12259; hard concrete: arXiv 1712.01312)."""

    granularity: Granularity = setting(
        "auto",
        "Granularity",
        "What one gate covers; auto goes from coarse to fine and keeps what validates best.",
    )
    parts: dict[str, PartChoice] = setting(
        {}, "Parts", 'Per layer name: "gate", "average", or "keep:0" for the first source.', more=True
    )
    penalty: float = setting(
        0.002,
        "Penalty",
        "Price of an open gate: the weight of the expected L0 norm in the loss.",
        ge=0,
        le=10,
    )
    temperature: float = setting(
        2 / 3, "Temperature", "Beta of the hard concrete: lower is closer to on/off.", ge=0.05, le=5
    )
    learning_rate: float = setting(0.1, "Learning rate", "Step size of the gate logits' optimiser.", gt=0, le=1e30)
    steps: int = setting(400, "Steps", "Gate-training steps of each stage.", ge=1, le=100_000)
    seed: int = setting(
        0, "Seed", "Starts every random choice: the same seed gives the same gates.", ge=0, le=2**31 - 1
    )
    batch_size: int = setting(128, "Batch size", "Training samples per step.", ge=1, le=65_536, more=True)
    optimiser: Literal["adam", "sgd"] = setting("adam", "Optimiser", "What moves the gate logits.", more=True)
    initial_open_probability: float = setting(
        0.9, "Initially open", "Share of the gates that are open before training.", gt=0, lt=1, more=True
    )
    stretch: tuple[float, float] = setting(
        (-0.1, 1.1), "Stretch", "Gamma and zeta: how far the concrete is stretched past 0 and 1.", more=True
    )
    normalise: bool = setting(
        True,
        "Normalise",
        "Divide the gates of a part by their sum, so that weights keep their size.",
        more=True,
    )
    rescale: bool = setting(
        True,
        "Rescale",
        "Channel gates learn a factor each too: averaging shrinks what sources do not share, and it gives that back.",
        more=True,
    )
    evaluate_every: int = setting(
        25,
        "Evaluate every",
        "Steps between two evaluations on the validation data.",
        ge=1,
        le=100_000,
        more=True,
    )
    non_finite: Literal["refuse", "exclude"] = setting(
        "refuse",
        "NaN or Inf weights",
        "Refuse sources that are not finite, or exclude them with a notice.",
        more=True,
    )
    device: str = setting("cpu", "Device", 'Where to compute, such as "cpu" or "cuda".', more=True)

    @model_validator(mode="after")
    def _consistent(self) -> "SoftMergeSettings":
        low, high = self.stretch
        if not (low < 0 < 1 < high):
            raise ValueError(f"stretch must reach below 0 and above 1, got {self.stretch}")
        for part, choice in self.parts.items():
            keep = choice.removeprefix("keep:")
            if choice not in ("gate", "average") and not (choice.startswith("keep:") and keep.isdigit()):
                raise ValueError(f'part {part!r}: expected "gate", "average" or "keep:<number>", got {choice!r}')
        return self


class TrainSettings(Settings):
    """Ordinary training of one source by SGD or Adam on cross-entropy."""

    epochs: int = setting(20, "Epochs", "Passes over the training samples.", ge=1, le=10_000)
    learning_rate: float = setting(0.01, "Learning rate", "Step size of the optimiser.", gt=0, le=1e30)
    optimiser: Literal["adam", "sgd"] = setting("adam", "Optimiser", "What moves the weights.")
    seed: int = setting(0, "Seed", "Starts the weights, the order of samples and the noise.", ge=0, le=2**31 - 1)
    share: float = setting(1.0, "Data share", "Share of the training samples this source sees.", gt=0, le=1)
    classes: tuple[int, ...] = setting((), "Classes", "Only these classes are seen; none named means all.", more=True)
    label_noise: float = setting(0.0, "Label noise", "Share of labels replaced by random ones.", ge=0, le=1, more=True)
    feature_noise: float = setting(
        0.0, "Feature noise", "Gaussian noise on the inputs, in their standard deviations.", ge=0, le=100, more=True
    )
    batch_size: int = setting(128, "Batch size", "Training samples per step.", ge=1, le=65_536, more=True)
    momentum: float = setting(0.9, "Momentum", "Of SGD; Adam ignores it.", ge=0, lt=1, more=True)
    weight_decay: float = setting(0.0, "Weight decay", "Pull of the weights toward zero.", ge=0, le=1, more=True)
    schedule: Literal["constant", "cosine"] = setting(
        "constant", "Schedule", "Whether the learning rate stays, or falls to zero along a cosine.", more=True
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
    """How a source is spoiled; the source itself stays as it is, a spoiled copy takes its place."""

    kind: AttackKind = setting("extreme", "Attack", "What is done to the copy.")
    strength: float = setting(
        50.0,
        "Strength",
        "Factor (extreme; the answers' confidence), noise in SDs of each tensor, or epochs on flipped labels.",
        ge=0,
        le=1e6,
    )
    seed: int = setting(0, "Seed", "Starts the noise.", ge=0, le=2**31 - 1)


class SourceSpec(Frozen):
    """One source: a zoo model ``family/name``, a library model ``library/name``, or a weights file's path."""

    model: str = Field(description="family/name, library/name, or the path of a weights file.")
    attack: AttackSettings | None = Field(None, description="How a copy is spoiled before merging; none by default.")


class DataSpec(Frozen):
    """Which samples gates are trained, validated and tested on.

    ``dataset`` is a registered name, or the path of an ``.npz`` with train_inputs, train_labels,
    validation_inputs, validation_labels (and optionally test_inputs, test_labels).
    """

    dataset: str = Field("mnist1d", description="A built-in data set's name, or the path of an .npz.")
    train_samples: int | None = Field(None, ge=0, description="At most so many training samples; none means all.")
    validation_samples: int | None = Field(None, ge=0, description="At most so many validation samples.")
