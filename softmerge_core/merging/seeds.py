"""Many soft merges of the same sources side by side: seeds, or settings that differ in numbers alone, as in a sweep.

Each goes the way it goes alone (``StagedMerge``): its own draws, its own end of each stage, its own choice. Only the
steps and the evaluations of those that train the same stage are done at once. Where that cannot be, or gains nothing,
they are done one after another.
"""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import compress, groupby

import torch
from torch import Tensor, nn

from softmerge_core.checkpoints.sources import LazySources
from softmerge_core.data.base import MergeData
from softmerge_core.errors import SettingsError
from softmerge_core.evaluation import predict
from softmerge_core.events import Event
from softmerge_core.merging.alike import MAY_DIFFER
from softmerge_core.merging.gate_training import NOISE
from softmerge_core.merging.hooks import Hooks
from softmerge_core.merging.lanes import Lane
from softmerge_core.merging.result import MergeResult
from softmerge_core.merging.soft import Admitted, admitted, soft_merge
from softmerge_core.merging.stacked import StackedNetworks, StackedTraining
from softmerge_core.merging.stages import StagePlan
from softmerge_core.settings import SoftMergeSettings

LAYERS = (nn.Linear, nn.Conv1d)  # whose products take no longer for many networks at once than for one after another
TRIED = 8  # samples
CLOSE = 1e-3  # difference of outputs, relative to the largest, that is rounding

OnEvent = Callable[[int, Event], None]
ShouldStop = Callable[[], bool]


def soft_merge_each(
    sources: Sequence[nn.Module],
    data: MergeData | Sequence[MergeData],
    settings: Sequence[SoftMergeSettings],
    *,
    names: Sequence[str] | None = None,
    base: nn.Module | None = None,
    on_event: OnEvent | None = None,
    should_stop: ShouldStop | None = None,
    stops: Sequence[ShouldStop] | None = None,
) -> list[MergeResult]:
    """Return what ``soft_merge`` returns for each of the ``settings``, in their order, up to rounding.

    ``data`` are the same for all, or each one's own. Merges whose settings differ only in MAY_DIFFER go side by side if
    the network consists of linear layers and one-dimensional convolutions, as an MLP or a small CNN does, and ``vmap``
    can run it; all others go one after another. In single precision a draw that rounding moves over the edge of a gate
    lets two merges part, as it does between two machines.
    ``on_event`` receives each event with the position of its merge; ``should_stop`` is asked before each step,
    and each merge's own one of ``stops`` at each of its evaluations.

    Raises SourceError, DataError or SettingsError before any training starts.
    """
    each = [data] * len(settings) if isinstance(data, MergeData) else list(data)
    if len(each) != len(settings):
        raise SettingsError(f"settings: expected one for each of the {len(each)} data sets, got {len(settings)}")
    tell = [_teller(on_event, number) for number in range(len(settings))]
    ready = _admit_each(sources, each, settings, names, base)
    found: dict[int, MergeResult] = {}
    for numbers in _alike(each, settings):
        lanes = _lanes(sources, numbers, ready, each, tell, base, stops)
        if lanes:
            found |= zip(numbers, _side_by_side(lanes, should_stop), strict=True)
            continue
        alone = partial(soft_merge, sources, names=names, base=base)
        found |= {
            n: alone(each[n], settings[n], on_event=tell[n], should_stop=_either(should_stop, stops, n))
            for n in numbers
        }
    return [found[number] for number in range(len(settings))]


def _teller(on_event: OnEvent | None, number: int) -> Callable[[Event], None] | None:
    return on_event and (lambda event: on_event(number, event))


def _either(should_stop: ShouldStop | None, stops: Sequence[ShouldStop] | None, number: int) -> ShouldStop | None:
    """What asks whether to stop a merge that goes alone."""
    asked = [ask for ask in (should_stop, stops[number] if stops else None) if ask]
    return (lambda: any(ask() for ask in asked)) if asked else None


def _admit_each(
    sources: Sequence[nn.Module],
    data: Sequence[MergeData],
    settings: Sequence[SoftMergeSettings],
    names: Sequence[str] | None,
    base: nn.Module | None,
) -> list[Admitted]:
    """Check every merge before any begins; what is the same for several is done once."""
    known: dict[tuple[int, str], Admitted] = {}
    found = []
    for samples, own in zip(data, settings, strict=True):
        key = id(samples), own.model_dump_json(exclude=MAY_DIFFER)
        if key not in known:
            known[key] = admitted(sources, samples, own, names, base)
        device = known[key].settings.device
        found.append(known[key]._replace(settings=own.model_copy(update={"device": device})))
    return found


def _alike(data: Sequence[MergeData], settings: Sequence[SoftMergeSettings]) -> list[list[int]]:
    """The positions of merges that differ only in numbers and in samples, but not in how many samples there are."""

    def key(number: int) -> str:
        shapes = [tuple(each.shape) for each in vars(data[number]).values()]
        return f"{settings[number].model_dump_json(exclude=MAY_DIFFER)} {shapes}"

    return [list(group) for _, group in groupby(sorted(range(len(settings)), key=key), key)]


def _lanes(
    sources: Sequence[nn.Module],
    numbers: Sequence[int],
    ready: Sequence[Admitted],
    data: Sequence[MergeData],
    tell: Sequence[Callable[[Event], None] | None],
    base: nn.Module | None,
    stops: Sequence[ShouldStop] | None,
) -> list[Lane]:
    """The merges that go side by side; none if they cannot, or gain nothing by it."""
    first = ready[numbers[0]]
    alike = all(
        ready[n].outputs.keys() == first.outputs.keys()
        and (ready[n].scaled is first.scaled or _same(ready[n].scaled, first.scaled))
        for n in numbers
    )
    if len(numbers) < 2 or not alike or not quicker_together(sources[0]):
        return []
    lanes: list[Lane] = []
    for n in numbers:
        hooks, flat = Hooks(tell[n], stops[n] if stops else None), lanes[0].flat if lanes else None
        lanes.append(Lane(sources, ready[n], data[n], hooks, base, flat))
    exact = lanes[0].flat.theta.dtype == lanes[0].flat.dtype  # no half precision
    return lanes if exact and _noise_fits(lanes[0]) and _runs_under_vmap(lanes[0]) else []


def _same(some: LazySources, others: LazySources) -> bool:
    """Whether these are the very same networks; those that are made when they are asked for never are."""
    return all(one is other for one, other in zip(some, others, strict=True))


def quicker_together(network: nn.Module) -> bool:
    """Whether many such networks at once take less time: all that has parameters or buffers is linear or a 1-D CNN's.

    ``vmap`` turns other convolutions into grouped ones and attention into loops, which take longer on a CPU.
    """
    return all(
        type(module) in LAYERS and getattr(module, "groups", 1) == 1
        for module in network.modules()
        if any(True for _ in (*module.parameters(recurse=False), *module.buffers(recurse=False)))
    )


def _noise_fits(lane: Lane) -> bool:
    """Whether the noise between two evaluations is drawn at once."""
    gates = max(len(plan.parts.names) for plan in lane.plans.values()) * len(lane.kept)
    return gates * min(lane.settings.evaluate_every, lane.settings.steps) <= NOISE


def _runs_under_vmap(lane: Lane) -> bool:
    """Whether two networks at once, tried on a few samples, give what one gives, and a gradient."""
    flat, judge = lane.flat, lane.judge
    inputs, labels = judge.train_inputs[:TRIED], judge.train_labels[:TRIED]
    flat.merged.copy_(flat.theta[0])
    try:
        networks = StackedNetworks(flat, flat.merged.expand(2, -1).clone())
        logits = networks.logits(inputs)
        networks.losses(torch.stack([inputs, inputs]), torch.stack([labels, labels]))
    except Exception:  # what vmap raises depends on what the network does
        return False
    alone = predict(flat.network, inputs)
    return logits.shape[1:] == alone.shape and bool((logits - alone).abs().max() <= CLOSE * alone.abs().max())


def _side_by_side(lanes: Sequence[Lane], should_stop: ShouldStop | None) -> list[MergeResult]:
    """Run merges that have the same stages, stage by stage."""
    for number, lane in enumerate(lanes):
        lane.begin([other for other in lanes[:number] if other.ready.outputs is lane.ready.outputs])
    for plan in lanes[0].plans.values():
        wanting = [lane for lane in lanes if lane.wants(plan)]
        if wanting:
            _train(plan, wanting, should_stop)
        trained = [lane for lane in lanes if plan.key in lane.at.done]
        if trained:
            stack = StackedTraining([lane.training_of(plan) for lane in trained])
            for lane, logits in zip(trained, _logits(stack, trained), strict=True):
                lane.judged(plan, logits)
        for lane in lanes:
            lane.after(plan)
    return [lane.finish() for lane in lanes]


def _logits(stack: StackedTraining, lanes: Sequence[Lane]) -> Tensor:
    return stack.logits([lane.judge.inputs for lane in lanes])


def _train(plan: StagePlan, lanes: list[Lane], should_stop: ShouldStop | None) -> None:
    """Train one stage of all ``lanes``; each leaves when its own stage ends."""
    settings = lanes[0].settings
    stack = StackedTraining([lane.begin_stage(plan) for lane in lanes])
    for step in range(0, settings.steps + settings.evaluate_every, settings.evaluate_every):
        left = max(0, settings.steps - step)
        looked = zip(lanes, stack.trainings, _logits(stack, lanes), strict=True)
        staying = [lane.look(plan, training, logits, left) for lane, training, logits in looked]
        lanes, trainings = list(compress(lanes, staying)), list(compress(stack.trainings, staying))
        if not lanes:
            return
        if not all(staying):
            stack = StackedTraining(trainings)
        count = min(settings.evaluate_every, left)
        batches = [lane.prepare(training, count) for lane, training in zip(lanes, trainings, strict=True)]
        samples = [lane.judge.train_inputs for lane in lanes], [lane.judge.train_targets for lane in lanes]
        for lane, losses in zip(lanes, stack.steps(batches, *samples, should_stop), strict=True):
            lane.report(plan, losses, count)
