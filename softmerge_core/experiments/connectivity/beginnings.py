"""The initial weights of trained networks: where a model's training began, as far as that was recorded."""

from typing import NamedTuple

from torch import nn

from softmerge_core.networks import build_network
from softmerge_core.settings import SourceSpec
from softmerge_core.zoo import FamilyInfo, LibraryModel, ModelInfo, find_source, load_base

UNKNOWN = "not known where it began: "


class Beginning(NamedTuple):
    """The start of a model's training: in ``words``, and as the ``seed`` of random weights or the family's ``trunk``.

    With neither, the initial weights are not known and ``words`` say why.
    """

    words: str
    seed: int | None = None
    trunk: bool = False


def manifest_of(source: SourceSpec) -> tuple[FamilyInfo | LibraryModel | None, ModelInfo | None]:
    """The records of a source's family and of the source itself; the same twice for a library model."""
    origin = find_source(source.model)
    if origin is None or isinstance(origin, LibraryModel):
        return origin, origin
    return origin, origin.model(source.model.partition("/")[2])


def beginning_of(source: SourceSpec) -> Beginning:
    """Where the training of a source began."""
    origin, info = manifest_of(source)
    if origin is None or info is None:
        return Beginning(f"{UNKNOWN}it is a weights file")
    if isinstance(origin, LibraryModel):
        return _beginning_in_library(origin)
    spoiled = " (the model was spoiled afterwards)" if info.attack or source.attack else ""
    if origin.trunk and info is not origin.base:
        return Beginning(f"the trunk it shares with its family{spoiled}", trunk=True)
    settings = info.settings or origin.trunk
    if settings is None:
        return Beginning(f"{UNKNOWN}its settings were not recorded")
    return _drawn_from(settings.seed, spoiled)


def _beginning_in_library(model: LibraryModel) -> Beginning:
    if model.settings and model.origin == "trained" and model.how.startswith("Started from random weights"):
        return _drawn_from(model.settings.seed)
    return Beginning(f"{UNKNOWN}only of networks trained here from random weights is it recorded")


def _drawn_from(seed: int, spoiled: str = "") -> Beginning:
    return Beginning(f"its random initial weights (seed {seed}){spoiled}", seed)


def initial_network(source: SourceSpec) -> nn.Module | None:
    """The network with which a model's training began, or None where that is not known."""
    begun, origin = beginning_of(source), manifest_of(source)[0]
    if origin is None:
        return None
    if begun.trunk:
        return load_base(origin.name)
    if begun.seed is None:
        return None
    return build_network(origin.network, origin.input_shape, origin.classes, begun.seed).eval()
