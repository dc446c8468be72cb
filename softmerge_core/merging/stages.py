"""The stages of a merge: which gates are trained in which order, and where each stage begins."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from softmerge_core.anatomy import Layer, Partition, partition
from softmerge_core.gates import logit_of_open_probability
from softmerge_core.settings import SoftMergeSettings

AFRESH = "channel-afresh"
REACH = 2.0  # logits a finer stage may begin with: no gate is exactly closed (-2.40), so each can change its mind
DROPPED = -20.0  # the logit of a source that no later stage opens


@dataclass(frozen=True)
class StagePlan:
    """One stage; ``before`` is the stage whose gates it refines, None to begin afresh."""

    key: str
    title: str
    parts: Partition
    before: str | None = None


@dataclass(frozen=True)
class StageResult:
    """The gates [parts, K] and log scales [parts, 1] a stage came to; their validation loss (nats), accuracy (0-1)."""

    key: str
    logits: Tensor
    loss: float
    accuracy: float
    scale: Tensor


def plan_stages(gated: tuple[Layer, ...], granularity: str) -> list[StagePlan]:
    """One stage, or for "auto" every granularity from coarse to fine and then channels once more, afresh.

    Fine gates reach furthest where sources share a basin; where they do not, only gates refined from coarse ones stay
    out of the trap between the basins. Which is the case is not known beforehand, so both are tried.
    """
    if granularity != "auto":
        return [StagePlan(granularity, f"{granularity} gates", partition(gated, granularity))]
    partitions = [partition(gated, name) for name in ("model", "module", "layer", "channel")]
    finer = [*partitions[1:], None]
    plans: list[StagePlan] = []
    for parts, after in zip(partitions, finer, strict=True):
        if after and len(after.names) == len(parts.names) and plans:
            continue  # the finer name says the same, such as where every module is one layer
        name = parts.granularity
        title = f"{name} gates, refined" if plans else f"{name} gates"
        plans.append(StagePlan(name, title, parts, plans[-1].key if plans else None))
    return [*plans, StagePlan(AFRESH, "channel gates, afresh", partitions[-1])]


def start_of(
    plan: StagePlan,
    done: Mapping[str, StageResult],
    plans: Mapping[str, StagePlan],
    dropped: Tensor,
    settings: SoftMergeSettings,
) -> tuple[Tensor, Tensor]:
    """Where the stage begins, afresh or from a coarser stage: (logits [parts, K], log scales [parts, 1]).

    Columns ``dropped`` [K] stay closed.
    """
    scale = torch.zeros(len(plan.parts.names), 1)
    if plan.before is not None and plan.before in done:
        before, coarse = done[plan.before], plans[plan.before].parts
        logits, scale = refine(before.logits, coarse, plan.parts), refine(before.scale, coarse, plan.parts)
    else:
        fresh = logit_of_open_probability(settings.initial_open_probability, settings.temperature, settings.stretch)
        logits = torch.full((len(plan.parts.names), len(dropped)), fresh)
    return logits.masked_fill(dropped, DROPPED), scale


def refine(logits: Tensor, coarse: Partition, fine: Partition) -> Tensor:
    """Coarse logits [parts, K] (or log scales) laid over the rows of a finer partition, clamped to [-REACH, REACH]."""
    result = torch.empty(len(fine.names), logits.shape[1], dtype=logits.dtype)
    for layer, (first, rows) in fine.rows.items():
        start, width = coarse.rows[layer]
        result[first : first + rows] = logits[start : start + width] if width == rows else logits[start]
    return result.clamp(-REACH, REACH)


def hopeless(values: Tensor, source_losses: list[float], classes: int) -> Tensor:
    """Sources [K] that coarse gates closed everywhere and that alone are worse than guessing (loss over ln classes).

    Opening such a source again at random, channel by channel, would only drown the others: extreme weights do.
    """
    worse = torch.tensor([loss > math.log(classes) for loss in source_losses])
    return (values == 0).all(0) & worse
