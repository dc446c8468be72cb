"""What is known of a family and of each of its models. Reading it loads no torch."""

from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from softmerge_core.errors import CheckpointError, short
from softmerge_core.settings import AttackSettings, TrainSettings

FOLDER = Path(__file__).parent / "families"
MANIFEST = "manifest.json"
BASE = "base"  # the name of the trunk as a model: family/base
JOINT = "joint"  # the name of the network that was trained on everything: family/joint


class Record(BaseModel):
    """Base of everything a manifest holds. A broken model's loss may be NaN or Inf."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")


class LayerInfo(Record):
    """One layer, for drawing; ``block`` is the top-level child it lies in, ``channels`` its outputs."""

    name: str
    kind: str
    block: str
    channels: int
    parameters: int


class ModelInfo(Record):
    """One trained model. ``accuracy`` (0-1) and ``loss`` (nats): per "train", "validation" and "test".

    ``history``: (step, mean training loss since the last entry, validation accuracy) of its own training, not
    of a shared trunk's. ``sha256``: of its tensors, see ``checkpoints.state_hash``.
    """

    name: str
    title: str
    how: str
    settings: TrainSettings | None = None
    attack: AttackSettings | None = None
    accuracy: dict[str, float] = {}
    loss: dict[str, float] = {}
    sha256: str
    history: tuple[tuple[int, float, float], ...] = ()


class FamilyInfo(Record):
    """Models of one architecture, trained to be merged.

    ``trunk``: the training all started from, if any; ``base``: the network it gave; ``joint``: one that was trained on
    all that the models saw between them, what a merge without training would have to reach. Neither is one of
    ``models``. ``place``: what the names of its models begin with, by default its own.
    """

    name: str
    title: str
    description: str
    dataset: str
    network: str
    input_shape: tuple[int, ...]
    classes: int
    trunk: TrainSettings | None = None
    base: ModelInfo | None = None
    joint: ModelInfo | None = None
    place: str = ""
    models: tuple[ModelInfo, ...]
    layers: tuple[LayerInfo, ...] = ()

    def source(self, model: ModelInfo) -> str:
        """The name in a SourceSpec of one of its models."""
        return f"{self.place or self.name}/{model.name}"

    def model(self, name: str) -> ModelInfo | None:
        """The model of this name, "base" and "joint" among them, or None."""
        return next((model for model in self.everything() if model.name == name), None)

    def everything(self) -> tuple[ModelInfo, ...]:
        """Its models, then its trunk and the network of joint training as far as it has them."""
        return (*self.models, *(found for found in (self.base, self.joint) if found))


@cache
def families(folder: Path = FOLDER) -> dict[str, FamilyInfo]:
    """Every family by its name; raises CheckpointError naming a manifest that cannot be read."""
    found = {}
    for path in sorted(folder.glob(f"*/{MANIFEST}")):
        try:
            family = FamilyInfo.model_validate_json(path.read_bytes())
        except (ValidationError, OSError) as error:
            raise CheckpointError(
                f"{path.parent.name}/{MANIFEST}: not a family's manifest ({_reason(error)})"
            ) from error
        found[family.name] = family
    return found


def _reason(error: ValidationError | OSError) -> str:
    """The first thing that is wrong with a manifest, in one line."""
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    first = error.errors(include_url=False, include_input=False)[0]
    return short(f"{'.'.join(map(str, first['loc']))}: {first['msg']}", 200)
