"""The settings of an attack."""

from collections.abc import Mapping

from pages.shared.choose.form import number_field, step_of
from softmerge_core.attacks import Attack, find_attack
from softmerge_core.settings import AttackSettings


def attack_fields(kind: str) -> tuple[list[str], Mapping[str, float]]:
    """(fields of AttackSettings that matter for this kind of attack, defaults that are the attack's own)."""
    attack = find_attack(kind)
    fields = [name for name in AttackSettings.model_fields if name not in ("kind", "strength")]
    return (["strength", *fields], {"strength": attack.usual}) if attack.graded else (fields, {})


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
