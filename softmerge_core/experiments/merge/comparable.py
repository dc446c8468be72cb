"""What one merge came to among others, and which merges can go side by side. Loads no torch."""

import contextlib
from collections.abc import Mapping
from typing import Any

from softmerge_core.errors import SoftMergeError
from softmerge_core.experiments.merge.spec import MergeSpec
from softmerge_core.experiments.merge.words import measured
from softmerge_core.experiments.outcome import BASELINES, Outcome, open_share
from softmerge_core.merging.alike import MAY_DIFFER, gain_together
from softmerge_core.zoo import find_source


def outcome(result: Mapping[str, Any]) -> Outcome | None:
    """The accuracy of the merged network, its gates, and its baselines; None where the accuracy is not known."""
    found = measured(result, "soft", (result.get("samples") or {}).get("test") or 0)
    if found is None:
        return None
    levels = {name: value for name in BASELINES if (value := result["accuracy"].get(name)) is not None}
    validation = (result.get("validation_accuracy") or {}).get("soft")
    return Outcome(found, validation, open_share(result.get("gates")), levels)


def alike(spec: MergeSpec) -> str:
    """The same text for merges that can go side by side; "" for one that gains nothing by it, or is not known to.

    They are of the same sources, samples and settings but for MAY_DIFFER, and of layers that gain by it. What changes
    its settings on the way goes alone, and so does what begins with gates of another.
    """
    if spec.changes or spec.start:
        return ""
    with contextlib.suppress(SoftMergeError):
        origin = find_source(spec.sources[0].model) if spec.sources else None
        if origin and gain_together([layer.kind for layer in origin.layers]) and spec.device == "cpu":
            return spec.model_dump_json(exclude={"name": True, "branch": True, "settings": MAY_DIFFER})
    return ""
