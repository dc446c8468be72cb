"""The form of a merge method: the material it may look at, its settings, and one function that merges."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from softmerge_core.settings import Settings

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from softmerge_core.flat import FlatSources

Need = Literal["inputs", "labels", "base"]  # training and validation inputs; their labels; a shared ancestor
Across = Literal["", "widths", "architectures"]
SEES = {"inputs": "inputs", "labels": "labels", "base": "base model"}  # in words, for tables


@dataclass(frozen=True)
class Material:
    """The material of one merge. Anything its method does not need is None, so that needs are stated truthfully.

    ``sources``: two or more modules of one architecture in evaluation mode, never to be modified; inputs [N, ...],
    labels [N] int64; ``base``: the ancestor of all sources. ``batchnorm_inputs`` [N, ...] serve to re-estimate
    BatchNorm's statistics alone, which every change of weights makes stale; None where no layer keeps any.
    ``target``: the position of the source whose architecture the result has, for methods that work ``across`` some
    (see Method): their sources may be of several. None where nobody chose one.
    """

    sources: "tuple[nn.Module, ...]"
    names: tuple[str, ...]
    generator: "torch.Generator"
    train_inputs: "Tensor | None" = None
    train_labels: "Tensor | None" = None
    validation_inputs: "Tensor | None" = None
    validation_labels: "Tensor | None" = None
    base: "nn.Module | None" = None
    batchnorm_inputs: "Tensor | None" = None
    target: int | None = None
    should_stop: Callable[[], bool] = field(default=lambda: False)

    def flat(self) -> "FlatSources":
        """Return the sources as one matrix ``theta`` [K, P], and a working network whose weights are ``merged`` [P]."""
        from softmerge_core.anatomy import describe
        from softmerge_core.flat import FlatSources

        return FlatSources(self.sources, describe(self.sources[0]))

    def network(self, flat: "FlatSources", weights: "Tensor") -> "nn.Module":
        """Return a free-standing network with ``weights`` [P] in ``flat``'s order and fresh BatchNorm statistics."""
        flat.merged.copy_(weights)
        return self.refreshed(flat.detached_network(self.sources[0]))

    def refreshed(self, network: "nn.Module") -> "nn.Module":
        """Re-estimate BatchNorm's statistics of ``network`` in place, and return it."""
        from softmerge_core.evaluation import reestimate_batchnorm

        if self.batchnorm_inputs is not None:
            reestimate_batchnorm(network, self.batchnorm_inputs)
        return network

    def flatten(self, flat: "FlatSources", network: "nn.Module") -> "Tensor":
        """Return a network's weights [P] in ``flat``'s order, such as the base model's."""
        return flat.flatten(network)


@dataclass(frozen=True)
class Method:
    """One way to merge. ``merge(material, settings)`` returns a network in evaluation mode.

    ``ordered``: the order of the sources may matter. ``idempotent``: identical sources give that source back.
    ``reference``: the result is no single network but a yardstick. ``sources``: the largest number it takes.
    ``optional``: material it is given where there is any, and can do without. ``across``: what its sources may differ
    in beside their weights: "widths" (the same layers, of other sizes) or "architectures" (any that read the same
    inputs and tell the same classes). Its result is then of the architecture of the material's ``target``.
    """

    name: str
    title: str
    summary: str  # one sentence about its effect
    paper: str  # authors, year, arXiv or DOI; "" for folklore
    needs: frozenset[Need]
    settings: type[Settings]
    merge: "Callable[[Material, Any], nn.Module]"
    ordered: bool = False
    idempotent: bool = True
    reference: bool = False
    random: bool = False  # its result depends on the seed
    sources: int | None = None
    optional: frozenset[Need] = frozenset()
    across: Across = ""
    short: str = ""  # the title where room is short; "" means the title itself
