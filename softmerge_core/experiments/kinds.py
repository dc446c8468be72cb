"""Of which architectures the sources of a spec are, and how far these lie apart. Loads no torch."""

import contextlib
from collections.abc import Sequence
from pathlib import Path

from softmerge_core.errors import SoftMergeError
from softmerge_core.experiments.base import Spec
from softmerge_core.methods import Method
from softmerge_core.methods.base import Across
from softmerge_core.networks import registered
from softmerge_core.settings import SourceSpec
from softmerge_core.zoo import FamilyInfo, LibraryModel, families, find_source, is_weights_file
from softmerge_core.zoo.sources import recognised

REACH: tuple[Across, ...] = ("", "widths", "architectures")  # each takes also what those before it take


def networks_of(sources: Sequence[SourceSpec]) -> list[str]:
    """The name of each source's architecture; "" where it is not known: of a file, or of a model that is gone."""
    return [origin.network if origin else "" for origin in map(_origin, sources)]


def apart(sources: Sequence[SourceSpec]) -> Across:
    """What sources differ in, as far as manifests tell: "widths" where their layers are the same but for their sizes.

    "" for sources of one architecture. Weights files count as the others; the engine looks at them itself.
    """
    known = {origin.network: origin for origin in map(_origin, sources) if origin}
    if len(known) < 2:
        return ""
    designs = {tuple((layer.name, layer.kind) for layer in origin.layers) for origin in known.values()}
    return "widths" if len(designs) == 1 and designs != {()} else "architectures"


def family_of(sources: Sequence[SourceSpec]) -> FamilyInfo | None:
    """The shipped family that all sources are of; None for several, for files and for the reader's own."""
    places = {source.model.partition("/")[0] for source in sources}
    return families().get(places.pop()) if len(places) == 1 else None


def yardstick_models(sources: Sequence[SourceSpec], dataset: str) -> dict[str, str]:
    """The models beside which a merge is judged: the "trunk" of the sources' family, and the one of "joint" training.

    None where the sources are of several families, or are merged on other data than those of their family.
    """
    family = family_of(sources)
    if family is None or family.dataset != dataset:
        return {}
    known = {"trunk": family.base, "joint": family.joint}
    return {name: f"{family.name}/{info.name}" for name, info in known.items() if info is not None}


def registered_files(spec: Spec) -> dict[str, dict[str, str]]:
    """The networks of a spec that the reader has registered: of each, by name, its file and that file's SHA-256.

    Where there are any, bare weights files are read for what they are of, and torch is loaded.
    """
    if not (known := registered()):
        return {}
    sources = getattr(spec, "sources", ())
    names = {getattr(spec, "network", ""), *networks_of(sources), *map(_network_of_file, sources)}
    own = sorted(names & set(known))
    return {name: {"file": known[name].file, "sha256": known[name].sha256} for name in own}


def _network_of_file(source: SourceSpec) -> str:
    """The architecture of a bare weights file; "" where it is none, or nothing can be told of it."""
    if not is_weights_file(source.model):
        return ""
    from softmerge_core.checkpoints.files import load_checkpoint

    with contextlib.suppress(SoftMergeError):  # the run itself says what is wrong with it
        return recognised(load_checkpoint(source.model, mapped=True), Path(source.model).name)[0]
    return ""


def first_two(sources: Sequence[SourceSpec]) -> str:
    """The first two sources of two architectures, in words: "sources 'a' and 'b', of the architectures vgg and vit"."""
    named = [(source.model, name) for source, name in zip(sources, networks_of(sources), strict=True) if name]
    other = next((pair for pair in named if pair[1] != named[0][1]), named[0])
    return f"sources {named[0][0]!r} and {other[0]!r}, of the architectures {named[0][1]} and {other[1]}"


def can_merge(method: Method, difference: Across) -> bool:
    """Whether a method takes sources that differ so."""
    return REACH.index(method.across) >= REACH.index(difference)


def _origin(source: SourceSpec) -> FamilyInfo | LibraryModel | None:
    with contextlib.suppress(SoftMergeError):  # a model may be gone by the time its run is looked at
        return find_source(source.model)
    return None
