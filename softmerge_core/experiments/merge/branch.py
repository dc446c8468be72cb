"""Branches of a merge: new runs that go on from a step of another, with other settings or the same. Loads no torch."""

import re
from collections.abc import Mapping
from typing import Any

from softmerge_core.errors import SettingsError
from softmerge_core.experiments.describe import field_label
from softmerge_core.experiments.merge.spec import Branch, MergeSpec
from softmerge_core.experiments.words import clipped
from softmerge_core.merging.changes import CHANGEABLE, LAST, Change, in_force, told, until, with_change
from softmerge_core.numbers import number_text
from softmerge_core.settings import SoftMergeSettings, parse

NAME = 900  # letters of a parent's name


def branched(parent: MergeSpec, run_id: str, step: int, values: Mapping[str, Any]) -> MergeSpec:
    """The spec of a run that goes the way of the run ``run_id``, made from ``parent``, up to ``step``.

    From there on new ``values`` of the settings that may change hold; those that hold there already are left out, and
    changes that the parent made later are not made. Raises SettingsError for values outside their limits.
    """
    changes, held = until(parent.changes, step), settings_at(parent, step)
    if new := new_values(held, values):
        changes = with_change(changes, parse(Change, {"step": step, **new}, "change"))
    origin = parse(Branch, {"run": run_id, "step": step}, "branch")
    stem = re.sub(r" from step [\d,]+$", "", parent.name)
    name = f"{clipped(stem, NAME) if stem else 'Branch'} from step {step:,}"
    return parent.model_copy(update={"name": name, "changes": changes, "branch": origin})


def settings_at(spec: MergeSpec, step: int) -> SoftMergeSettings:
    """The settings that hold for the training step after ``step``."""
    return in_force(spec.settings, spec.changes, step)


def told_changes(spec: MergeSpec, step: int = LAST) -> list[tuple[int, str]]:
    """(step, words) of each setting that has changed by ``step``: "the penalty went from 0.01 to 0.1"."""
    found = told(spec.settings, until(spec.changes, step))
    return [(at, f"the {_label(name)} went from {_text(old)} to {_text(new)}") for at, name, old, new in found]


def _label(name: str) -> str:
    return field_label(SoftMergeSettings.model_fields[name].title or name)


def _text(value: float) -> str:
    return number_text(value, 4)


def new_values(held: SoftMergeSettings, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the ``wanted`` values of settings that may change which do not hold already."""
    if unknown := [name for name in wanted if name not in CHANGEABLE]:
        raise SettingsError(f"change: expected {', '.join(CHANGEABLE)}, got {unknown[0][:80]!r}")
    return {name: value for name, value in wanted.items() if value != getattr(held, name)}
