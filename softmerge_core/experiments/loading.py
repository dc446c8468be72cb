"""From the sources of a spec to networks with names of their own. Loads torch."""

from collections.abc import Collection, Sequence

from torch import nn

from softmerge_core.checkpoints.sources import LazySources
from softmerge_core.checks import unique_names
from softmerge_core.experiments.kinds import family_of, networks_of, yardstick_models
from softmerge_core.settings import SourceSpec
from softmerge_core.zoo import load_base, load_source
from softmerge_core.zoo.opening import open_sources


def load_sources(specs: Sequence[SourceSpec], taken: Collection[str] = ()) -> tuple[list[nn.Module], tuple[str, ...]]:
    """(networks, names by which they can be told apart, none of them in ``taken``).

    Names of sources of several architectures tell which each is of. Raises what ``load_source`` raises.
    """
    loaded, networks = [load_source(spec) for spec in specs], networks_of(specs)
    mixed = len(set(networks) - {""}) > 1
    names = [
        f"{source.name} ({network.rpartition('/')[2]})" if mixed and network else source.name
        for source, network in zip(loaded, networks, strict=True)
    ]
    return [source.module for source in loaded], unique_names(names, taken)


def lazy_sources(specs: Sequence[SourceSpec], taken: Collection[str] = ()) -> tuple[LazySources, tuple[str, ...]]:
    """The same, with networks that are read from their files whenever they are asked for, and held by nobody."""
    sources, names = open_sources(specs)
    return sources, unique_names(names, taken)


def yardsticks(sources: Sequence[SourceSpec], dataset: str) -> dict[str, nn.Module]:
    """The networks beside which a merge is judged; see ``yardstick_models``."""
    known = yardstick_models(sources, dataset)
    return {name: load_source(SourceSpec(model=model)).module for name, model in known.items()}


def base_of(sources: Sequence[SourceSpec], base: str = "") -> nn.Module | None:
    """The common ancestor of the sources: the ``base`` that is named, or else their family's; None if none is known.

    Aligned sources no longer descend from it, but there is no better one.
    """
    if base:
        return load_source(SourceSpec(model=base)).module
    family = family_of(sources)
    return load_base(family.name) if family else None
