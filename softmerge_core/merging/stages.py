"""The stages of a merge: the order in which gates are trained, and the logits each stage begins with."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from softmerge_core.anatomy import Layer, Partition, partition
from softmerge_core.errors import SettingsError
from softmerge_core.gates import TEMPERATURE, logit_of_open_probability
from softmerge_core.merging.budget import Range, stage_budget
from softmerge_core.merging.start import GateStart
from softmerge_core.settings import SoftMergeSettings

AFRESH = "channel-afresh"
RELATIVE = "relative"  # the end of the key of a stage whose gates count from the base on
RESCALED = {  # the controls of rescaling: what is rescaled alone -> the title
    "best_source": "best source rescaled",
    "average": "average rescaled",
}
REACH = 2.0  # bound on the first logits of a finer stage; gates close exactly at -2.40, so each can still move
DROPPED = -20.0  # the logit of a source that later stages keep closed


@dataclass(frozen=True)
class StagePlan:
    """One stage; ``before`` is the stage whose gates it refines, or None if it begins afresh.

    ``relative``: its gates weigh what the sources have learned since the base. ``control``: its gates are fixed, at the
    best source or the plain average, and only the factors of rescaling are trained: what they give without a merge.
    ``start``: the gates that it begins with, if these are given.
    """

    key: str
    title: str
    parts: Partition
    before: str | None = None
    relative: bool = False
    control: str = ""
    start: GateStart | None = None

    @property
    def held(self) -> Tensor | None:
        """The gates [parts, K] that stay as they begin."""
        return self.start.held if self.start else None


@dataclass(frozen=True)
class StageResult:
    """The gates [parts, K] and log scales [parts, 1] at one evaluation of a stage, with the validation scores.

    ``temperature`` is the one that held then.
    """

    key: str
    logits: Tensor
    loss: float
    accuracy: float
    scale: Tensor
    temperature: float = TEMPERATURE


def plan_stages(
    gated: tuple[Layer, ...], settings: SoftMergeSettings, start: GateStart | None = None
) -> list[StagePlan]:
    """Return the stages: one, or for "auto" every granularity from coarse to fine and then fresh channel gates.

    Fresh fine gates do best where sources share a basin. Where they do not, only gates refined from coarse ones avoid
    the barrier between the basins. Which case holds is not known beforehand, so both are tried, unless the refined ones
    turn out surely better than the coarse ones; and if ``settings.relative``, also gates over what was learned since
    the base. Gates that are given to ``start`` with have one stage; raises SettingsError where they do not fit it.
    """
    channel = partition(gated, "channel")
    if settings.granularity == "auto":
        if start is not None:
            raise SettingsError("start: expected one granularity for the gates that a merge begins with, got auto")
        plans = [*_coarse_to_fine(gated), StagePlan(AFRESH, "channel gates, afresh", channel)]
        if settings.relative:
            plans.append(StagePlan(f"channel-{RELATIVE}", "channel gates, relative", channel, relative=True))
    elif settings.relative:
        key, title = f"{settings.granularity}-{RELATIVE}", f"{settings.granularity} gates, relative"
        plans = [_begun(StagePlan(key, title, partition(gated, settings.granularity), relative=True, start=start))]
    else:
        key, title = settings.granularity, f"{settings.granularity} gates"
        plans = [_begun(StagePlan(key, title, partition(gated, settings.granularity), start=start))]
    if settings.rescale and settings.granularity in ("auto", "channel"):
        plans += [StagePlan(f"{key}_rescaled", title, channel, control=key) for key, title in RESCALED.items()]
    return plans


def _begun(plan: StagePlan) -> StagePlan:
    """The plan itself; raises SettingsError unless the gates that it begins with are one for each of its parts."""
    if plan.start is not None and len(plan.start.logits) != len(plan.parts.names):
        raise SettingsError(
            f"start: expected gates for the {len(plan.parts.names)} parts of this merge, got {len(plan.start.logits)}"
        )
    return plan


def _coarse_to_fine(gated: tuple[Layer, ...]) -> list[StagePlan]:
    partitions = [partition(gated, name) for name in ("model", "module", "layer", "channel")]
    finer = [*partitions[1:], None]
    plans: list[StagePlan] = []
    for parts, after in zip(partitions, finer, strict=True):
        if after and len(after.names) == len(parts.names) and plans:
            continue  # the finer partition is the same, for example if every module is one layer
        name = parts.granularity
        title = f"{name} gates, refined" if plans else f"{name} gates"
        plans.append(StagePlan(name, title, parts, plans[-1].key if plans else None))
    return plans


def start_of(
    plan: StagePlan,
    done: Mapping[str, StageResult],
    plans: Mapping[str, StagePlan],
    dropped: Tensor,
    settings: SoftMergeSettings,
    best: int = 0,
) -> tuple[Tensor, Tensor]:
    """Return the logits [parts, K] and log scales [parts, 1] a stage begins with, fresh or from a coarser stage.

    Columns ``dropped`` [K] stay closed; ``best`` is the column of the best source.
    """
    if plan.start is not None:
        return plan.start.logits.clone(), plan.start.scale.clone()
    scale = torch.zeros(len(plan.parts.names), 1)
    if plan.control:
        alone = torch.arange(len(dropped)) == best
        taken = alone if plan.control == "best_source" else torch.ones_like(alone)
        return torch.where(taken, -DROPPED, DROPPED).expand(len(scale), -1).clone(), scale
    if plan.before is not None and plan.before in done:
        before, coarse = done[plan.before], plans[plan.before].parts
        logits, scale = refine(before.logits, coarse, plan.parts), refine(before.scale, coarse, plan.parts)
    else:
        fresh = logit_of_open_probability(settings.initial_open_probability, settings.temperature, settings.stretch)
        logits = torch.full((len(plan.parts.names), len(dropped)), fresh)
    return logits.masked_fill(dropped, DROPPED), scale


def refine(logits: Tensor, coarse: Partition, fine: Partition) -> Tensor:
    """Return coarse logits [parts, K] (or log scales) spread over a finer partition and clamped to [-REACH, REACH]."""
    result = torch.empty(len(fine.names), logits.shape[1], dtype=logits.dtype)
    for layer, (first, rows) in fine.rows.items():
        start, width = coarse.rows[layer]
        result[first : first + rows] = logits[start : start + width] if width == rows else logits[start]
    return result.clamp(-REACH, REACH)


def to_come(
    plans: Sequence[StagePlan], plan: StagePlan, settings: SoftMergeSettings, steps: int, waits: int
) -> list[tuple[str, Range]]:
    """(granularity, what is to come) of a stage with so many ``steps`` to do, and of all after it.

    ``waits``: the evaluations after which this stage may end.
    """
    every, auto = settings.evaluate_every, settings.granularity == "auto"
    found = [(plan.parts.granularity, stage_budget(steps, every, patient=auto, waits=waits))]
    for other in plans[plans.index(plan) + 1 :]:
        budget = stage_budget(settings.steps, every, patient=auto, needless=other.key == AFRESH)
        found.append((other.parts.granularity, budget))
    return found


def hopeless(values: Tensor, source_losses: list[float], classes: int) -> Tensor:
    """Mark the sources [K] that coarse gates closed everywhere and that do worse than guessing (loss over ln classes).

    If channel gates opened such a source again at random, its extreme weights would only drown the others.
    """
    worse = torch.tensor([loss > math.log(classes) for loss in source_losses])
    return (values == 0).all(0) & worse
