"""Networks that runs make besides merges: what each is and how it came about, written into its file.

By that a network of any run can be taken into the library, without knowing anything of its kind. Light: torch is
loaded by what keeps networks, when it does.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from softmerge_core.experiments.base import Context
from softmerge_core.experiments.merge.lineage import TENSORS, kind_of
from softmerge_core.settings import Frozen

if TYPE_CHECKING:
    from torch import nn

MADE = "softmerge.made"
NETWORK = "kept"  # in the values of a task: the network that it made
ROOM = 64_000_000  # bytes that one run keeps of networks beside each other; of larger ones only the best
LARGEST = 512_000_000  # bytes of a network that is handed on to be kept at all
BEST = "best"


class Made(Frozen):
    """A network that a run kept; ``title`` is shown by the app, ``how`` tells in a sentence how it came about."""

    network: str
    input_shape: tuple[int, ...]
    classes: int
    title: str
    how: str


def made_like(model: str, title: str, how: str) -> Made:
    """What a network of the architecture of a SourceSpec's ``model`` is."""
    network, input_shape, classes = kind_of(model)
    return Made(network=network, input_shape=input_shape, classes=classes, title=title, how=how)


def recorded_made(metadata: Mapping[str, str]) -> Made | None:
    """What a file says of its network; None where it says nothing, or something else."""
    try:
        return Made.model_validate_json(metadata.get(MADE, ""))
    except ValidationError:
        return None


def keep_made(context: Context, name: str, made: Made, network: "nn.Module | Mapping[str, Any]") -> None:
    """Keep a network, or its state, under ``name``, with what it is and the hash of its tensors in its file."""
    from softmerge_core.checkpoints.files import state_hash

    state = network if isinstance(network, Mapping) else network.state_dict()
    remarks = {"format": "pt", MADE: made.model_dump_json(), TENSORS: state_hash(state)}
    context.save_weights(name, state, remarks)


def handed_on(made: Made, network: "nn.Module", like: "nn.Module") -> dict[str, Any]:
    """A network as the value of a task, for ``Keeper``; nothing of what is no network ``like`` the source.

    That is an ensemble, which is several, and whatever is larger than LARGEST.
    """
    from safetensors.torch import save

    state, known = network.state_dict(), like.state_dict()
    if {name: tuple(tensor.shape) for name, tensor in state.items()} != {
        name: tuple(tensor.shape) for name, tensor in known.items()
    }:
        return {}
    if sum(tensor.nbytes for tensor in state.values()) > LARGEST:
        return {}
    whole = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in state.items()}
    return {NETWORK: {"made": made.model_dump(), "weights": save(whole)}}


class Keeper:
    """Keeps the networks that tasks hand on, each under the task's series: of ``count`` all, or the best alone.

    They are all kept where they have ROOM together; ``score`` tells how good a task's values say that its network is,
    by validation data, never by test data.
    """

    def __init__(self, context: Context, count: int, score: Callable[[Mapping[str, Any]], float]) -> None:
        self.context, self.count, self.score = context, max(count, 1), score
        self.best: float | None = None  # the score of the network that is kept, of those of which one is

    def take(self, values: dict[str, Any]) -> None:
        """Take the network out of a task's values, and keep it if it is to be kept."""
        from safetensors.torch import load

        handed = values.pop(NETWORK, None)
        if handed is None:
            return
        name = str(values.get("series", BEST))
        if len(handed["weights"]) * self.count > ROOM:
            if self.best is not None and not self.score(values) > self.best:
                return
            self.best, name = self.score(values), BEST
        keep_made(self.context, name, Made.model_validate(handed["made"]), load(handed["weights"]))
