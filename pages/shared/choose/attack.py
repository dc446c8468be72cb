"""How strong an attack is."""

import streamlit as st

from pages.shared.choose.form import step_of
from softmerge_core.attacks import Attack


def pick_strength(attack: Attack, key: str, help: str) -> float | None:
    """How strong the attack is, where it can be more or less; a widget for each attack."""
    if not attack.graded:
        return None
    return float(
        st.number_input(
            f"Strength ({attack.unit})",
            min_value=0.0,
            max_value=1e6,
            value=attack.usual,
            step=step_of(float, attack.usual),
            format="%.4g",
            key=f"{key}-{attack.name}",
            bind="query-params",
            help=help,
        )
    )
