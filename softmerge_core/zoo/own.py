"""The reader's own models as families: those of one architecture and data set together. Loads no torch."""

import hashlib
from pathlib import Path

from softmerge_core.data import datasets
from softmerge_core.networks import networks
from softmerge_core.zoo.library import KIND, LibraryModel, library, slug
from softmerge_core.zoo.manifest import FamilyInfo, families

PLACE = "library"  # what the names of these models begin with in a SourceSpec


def all_families() -> dict[str, FamilyInfo]:
    """Every family by its name: those that ship, then the reader's own."""
    return {**families(), **own_families()}


def own_families() -> dict[str, FamilyInfo]:
    """The models of the library, each among those that it can be merged with, by names that stay as models come."""
    groups: dict[tuple[object, ...], list[LibraryModel]] = {}
    for model in library().values():
        groups.setdefault(tuple(getattr(model, field) for field in KIND), []).append(model)
    found = (_family(kind, models) for kind, models in groups.items())
    return {family.name: family for family in found}


def _family(kind: tuple[object, ...], models: list[LibraryModel]) -> FamilyInfo:
    first = models[0]
    sign = hashlib.sha256(repr(kind).encode()).hexdigest()[:6]
    network, data = networks().get(first.network), datasets().get(first.dataset)
    what = network.title if network else first.network.rpartition("/")[2]
    return FamilyInfo(
        name=f"own-{slug(first.network)}-{sign}",
        title=f"Your own: {what}, {data.title if data else Path(first.dataset).stem}, {first.classes} classes",
        description="Networks of one architecture that you brought, trained or poisoned here.",
        place=PLACE,
        models=tuple(models),
        layers=first.layers,
        **{field: getattr(first, field) for field in KIND},
    )
