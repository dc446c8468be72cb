"""From the sources and data of a spec back to the widgets that choose them."""

from collections.abc import Sequence
from typing import Any

from pages.shared.choose.attack import attack_fields
from pages.shared.choose.form import form_state
from pages.shared.choose.own import CHOSEN
from pages.shared.choose.own_data import DATA
from softmerge_core.attacks import find_attack
from softmerge_core.settings import AttackSettings, DataSpec, SourceSpec
from softmerge_core.zoo import LIBRARY, FamilyInfo, all_families, library, same_kind

LIMITS = ("train_samples", "validation_samples")
LINKED = ("use", "honest", "poison")  # the groups of widgets, of those named "group:widget", that addresses hold


def family_of(sources: Sequence[SourceSpec], data: DataSpec) -> FamilyInfo | None:
    """The family on the left for these sources: that of the first from a family, or else one of their kind."""
    known = all_families()
    origins = (known.get(source.model.partition("/")[0]) for source in sources)
    if found := next(filter(None, origins), None):
        return found
    own = [library().get(source.model.removeprefix(LIBRARY)) for source in sources if source.model.startswith(LIBRARY)]
    alike = (family for family in reversed(known.values()) if own and own[0] and same_kind(family, own[0]))
    return next(alike, None) or next((family for family in known.values() if family.dataset == data.dataset), None)


def sources_state(sources: Sequence[SourceSpec], data: DataSpec, *, honest: bool = False) -> dict[str, Any]:
    """The values of the widgets of ``pick_family``, ``pick_sources`` and ``bring_own``, by their keys.

    ``honest``: as in ``pick_sources``. What these widgets cannot choose is left out.
    """
    state, family = own_state(sources, data), family_of(sources, data)
    if family is None:
        return state
    state["family"] = family.name
    taken = {source.model: source for source in sources}
    for model in family.models:
        name = family.source(model)
        state[f"{'honest' if honest else 'use'}:{name}"] = name in taken
        if not honest:
            state |= _poison_state(name, taken[name].attack if name in taken else None)
    return state


def own_state(sources: Sequence[SourceSpec], data: DataSpec) -> dict[str, Any]:
    """The values of the widgets that choose networks and data of the reader's own."""
    own = [source for source in sources if source.model.startswith(LIBRARY)]
    state: dict[str, Any] = {
        CHOSEN: [source.model.removeprefix(LIBRARY) for source in own],
        DATA: data.dataset if data.dataset.endswith(".npz") else None,
    }
    for source in own:
        state |= {f"use:{source.model}": True} | _poison_state(source.model, source.attack)
    return state


def limits_state(data: DataSpec, prefix: str = "") -> dict[str, Any]:
    """The values of the fields that limit the samples."""
    return form_state(data, prefix=prefix, fields=LIMITS)


def link_text(key: str, value: Any) -> str:
    """What the address holds for the value of a switch, a number or a poison; "" for what it does not hold."""
    group, apart, _ = key.partition(":")
    if apart and group not in LINKED:
        return ""
    if isinstance(value, (bool, int, float)):
        return str(value).lower()
    return find_attack(value).title if group == "poison" and value else ""


def _poison_state(name: str, attack: AttackSettings | None) -> dict[str, Any]:
    key = f"poison:{name}"
    if attack is None:
        return {key: None}
    return {key: attack.kind} | form_state(attack, prefix=f"{key}:{attack.kind}:", fields=attack_fields(attack.kind)[0])
