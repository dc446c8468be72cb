"""The settings of an attack."""

from collections.abc import Mapping

import streamlit as st

from pages.shared.choose.form import number_field, out_of_range, step_of
from softmerge_core.attacks import Attack, find_attack
from softmerge_core.settings import AttackSettings


def attack_fields(kind: str) -> tuple[list[str], Mapping[str, float]]:
    """(fields of AttackSettings that matter for this kind of attack, defaults that are the attack's own)."""
    attack = find_attack(kind)
    fields = [name for name in AttackSettings.model_fields if name not in ("kind", "strength")]
    return (["strength", *fields], {"strength": attack.usual}) if attack.graded else (fields, {})


def pick_malicious(count: int, first: int, key: str, help: str) -> tuple[int, str]:
    """How many of ``count`` participants are malicious, at most all but one, and the problem with that, or "".

    A number that was possible until participants were taken away goes down with them.
    """
    label, most = "How many are malicious", max(count - 1, 1)
    before = int(st.session_state.get(f"{key}:most", most))
    if most < int(st.session_state.get(key) or 0) <= before:
        st.session_state[key] = most
    st.session_state[f"{key}:most"] = most
    entered = number_field(label, int, 0, most, value=min(first, most), step=1, key=key, bind="query-params", help=help)
    chosen = int(entered or 0)
    return min(max(chosen, 0), most), out_of_range(label, chosen, 0, most)


def pick_strength(attack: Attack, key: str, help: str) -> float | None:
    """The chosen strength, or None for an attack that has none; each attack has a widget of its own."""
    if not attack.graded:
        return None
    return float(
        number_field(
            f"Strength ({attack.unit})",
            float,
            0.0,
            1e6,
            value=attack.usual,
            step=step_of(float, attack.usual),
            key=f"{key}-{attack.name}",
            bind="query-params",
            help=help,
        )
    )
