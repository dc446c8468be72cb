"""A new merge that begins with the gates of another, some of them forced by hand. Loads no torch."""

import re
from collections.abc import Sequence
from typing import Any

from softmerge_core.errors import SettingsError
from softmerge_core.experiments.merge.spec import MergeSpec
from softmerge_core.experiments.words import clipped
from softmerge_core.merging.changes import LAST, in_force
from softmerge_core.merging.forced import MOST, Forced, Start
from softmerge_core.settings import parse

NAME = 900  # letters of the other run's name
END = " with gates forced by hand"


def continued(
    parent: MergeSpec, run_id: str, gates: dict[str, Any], forced: Sequence[Forced], *, keep: bool = False
) -> MergeSpec:
    """The spec of a merge that begins with the ``gates`` of the run ``run_id``, made from ``parent``, as forced.

    ``gates``: what ``surgery`` tells of a run: its ``logits``, ``factors``, ``granularity``, whether they are
    ``relative``, and the ``step`` of a run under way. The settings are those that held there last; the granularity is
    that of the gates, so that it is these which are trained on. ``keep``: forced gates stay as they are.
    Raises SettingsError for more gates than a spec may hold.
    """
    count = len(gates["logits"]) * len(parent.sources)
    if count > MOST:
        raise SettingsError(f"these are {count:,} gates: a merge can begin with {MOST:,} gates of another at most")
    held = in_force(parent.settings, parent.changes, LAST)
    settings = held.model_copy(update={"granularity": gates["granularity"], "relative": gates["relative"]})
    told = {"run": run_id, "step": gates.get("step"), "forced": [each.model_dump() for each in forced], "keep": keep}
    start = parse(Start, {**told, "logits": gates["logits"], "factors": gates["factors"]}, "start")
    stem = re.sub(rf"{END}$", "", parent.name)
    name = f"{clipped(stem, NAME)}{END}" if stem else END.strip().capitalize()
    return parent.model_copy(update={"name": name, "settings": settings, "changes": (), "branch": None, "start": start})
