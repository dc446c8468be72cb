"""The work of several merge runs that are alike: what they share is loaded and scored once. Loads torch."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from softmerge_core.checks import usable_device
from softmerge_core.data import load_data
from softmerge_core.events import Event, Notice
from softmerge_core.experiments.aligning import align_to_best
from softmerge_core.experiments.base import Context
from softmerge_core.experiments.loading import base_of, lazy_sources, yardsticks
from softmerge_core.experiments.merge.lineage import lineage_of, remarks
from softmerge_core.experiments.merge.predictions import NAME as PREDICTIONS
from softmerge_core.experiments.merge.run import announce_plane, boundary, kept_gates, report
from softmerge_core.experiments.merge.scores import others_of, score_all
from softmerge_core.experiments.merge.spec import MergeSpec
from softmerge_core.merging.seeds import soft_merge_each

UNCHANGED = "The new settings were not taken, for this run goes side by side with others; branch from it instead."


def run_each(specs: Sequence[MergeSpec], contexts: Sequence[Context]) -> list[dict[str, Any]]:
    """Return what ``run`` returns for each of the ``specs``, up to rounding (see ``soft_merge_each``).

    Each emits its events and keeps its weights by the context at its place. None of them has snapshots, and of data in
    the plane only the decisions of the network that is kept are emitted, not those on the way.
    """
    begun, first = time.monotonic(), specs[0]
    usable_device(first.device)
    data, lineage = load_data(first.data), lineage_of(first)
    loaded, names = lazy_sources(first.sources)
    modules = align_to_best(loaded, data, first.align)
    extents = [announce_plane(data, context) for context in contexts]
    merges = soft_merge_each(
        modules,
        data.for_merging(),
        [spec.settings for spec in specs],
        names=names,
        base=base_of(first.sources) if first.settings.relative else None,
        on_event=_told(contexts),
        should_stop=lambda: all(context.should_stop() for context in contexts),
        stops=[context.should_stop for context in contexts],
    )
    sound = [index for index, name in enumerate(names) if name not in merges[0].excluded]
    others, beside = others_of(modules, sound, data), yardsticks(first.sources, first.data.dataset)
    results = []
    for spec, context, extent, merged in zip(specs, contexts, extents, merges, strict=True):
        model, last = merged.model.cpu(), merged.history[-1].step
        if context.take_change(last):
            context.emit(Notice(step=last, text=UNCHANGED))
        if extent:
            context.emit(boundary(model, extent, last, kept=True))
        state = model.state_dict()
        context.save_weights("merged", state, remarks(spec, lineage, state))
        scores, predicted = score_all(model, others, sound, names, data, {**merged.controls, **beside})
        context.save_weights(PREDICTIONS, predicted)
        gates = kept_gates(merged.gates, context)
        results.append({**scores, **report(merged, names), "gates": gates, "together": len(specs)})
    return [{**result, "seconds": time.monotonic() - begun} for result in results]


def _told(contexts: Sequence[Context]) -> Callable[[int, Event], None]:
    return lambda number, event: contexts[number].emit(event)
