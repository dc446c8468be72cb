"""What a weights file is, whether it fits, and the exact layer that keeps it out. Loads torch."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from softmerge_core.checkpoints.differences import Differences, differences, told
from softmerge_core.checkpoints.files import fitting
from softmerge_core.checkpoints.wrappers import unwrapped
from softmerge_core.data import data_facts, datasets
from softmerge_core.errors import CheckpointError, DataError, SoftMergeError
from softmerge_core.networks import check_network
from softmerge_core.registry import lookup
from softmerge_core.zoo.recognition import BUFFERS, Kind, Shapes, layout, likely, meta_network
from softmerge_core.zoo.sources import recognise, unrecognised
from softmerge_core.zoo.verdicts import Asked, Verdict

ALIKE = 0.5  # of the names that must agree, for a file to be compared with a network
NEAR = 2  # tensors in which a file may differ from a network, for nothing nearer to be looked for
LARGE = 1e6  # in the weights of no trained network
MANY_SDS = 1000.0  # standard deviations of a layer's weights that its largest is away, in no trained network
SAMPLED = 20_000  # weights of a layer from which its SD is taken
MOST_NOTES = 3


@dataclass
class Wanted:
    """What files must fit: samples of this shape, so many classes. ``kinds`` are those of the files before."""

    asked: Asked
    input_shape: tuple[int, ...]
    classes: int
    kinds: list[Kind] = field(default_factory=list)


def wanted(asked: Asked) -> Wanted:
    """What the files that are ``asked`` about must fit; raises NotFoundError or DataError for their data or network."""
    if asked.dataset.endswith(".npz"):
        facts = data_facts(asked.dataset)
        shape, classes = facts.input_shape, facts.classes
    else:
        known = lookup(datasets(), asked.dataset, "data set")
        shape, classes = tuple(known.input_shape), known.classes
    if asked.network:
        check_network(asked.network, shape, asked.classes or classes)
    return Wanted(asked, shape, classes, [asked.first] if asked.first else [])


def verdict(state: Mapping[str, Tensor], file: str, want: Wanted) -> Verdict:
    """Judge the tensors of a file; what it is joins the kinds that later files are compared with."""
    shapes = {name: tuple(value.shape) for name, value in unwrapped(state).items()}
    kind, problem, known = _kind(state, shapes, want)
    first = Verdict(file=file, known=known, stored=_stored(state))
    if kind is None:
        return first.model_copy(update={"problem": problem})
    found = dict(zip(("network", "input_shape", "classes"), kind, strict=True))
    problem = problem or _unusable(state, kind)
    bad = [] if problem else _not_finite(state)
    notes = [*_told_not_finite(bad), *([] if problem else _extreme(state))][:MOST_NOTES]
    if not problem and kind not in want.kinds:
        want.kinds.append(kind)
    return first.model_copy(update={**found, "problem": problem, "notes": tuple(notes), "finite": not bad})


def _kind(state: Mapping[str, Tensor], shapes: Shapes, want: Wanted) -> tuple[Kind | None, str, bool]:
    """(what a file is or comes nearest to, what keeps it from being used or "", whether it is known)."""
    asked = want.asked
    if asked.network:
        kind = asked.network, want.input_shape, asked.classes or want.classes
        problem = told(layout(kind), shapes)
        return kind, problem, not problem
    found = recognise(state, want.input_shape) or recognise(state)
    if found is None:
        return *_nearest(shapes, want), False
    if asked.together and want.kinds and found != want.kinds[0]:
        problem = told(layout(want.kinds[0]), shapes) or _other_inputs(found, want.kinds[0][1])
        first = want.kinds[0][0]
        return found, problem if found[0] == first else f"{problem}; the first file is a {first}", True
    return found, _other_data(found, shapes, want), True


def _other_data(kind: Kind, shapes: Shapes, want: Wanted) -> str:
    if kind[1] != want.input_shape:
        return _other_inputs(kind, want.input_shape)
    if kind[2] < want.classes:
        where = told(layout((kind[0], kind[1], want.classes)), shapes).partition(": it tells")[0]
        return f"{where}: it tells {kind[2]} classes, and the data have {want.classes}"
    return ""


def _other_inputs(kind: Kind, got: tuple[int, ...]) -> str:
    expected = f"expects inputs of shape {kind[1]}, got data of shape {got}"
    return f"it is a {kind[0]} and {expected}: choose the data it learned from"


def _nearest(shapes: Shapes, want: Wanted) -> tuple[Kind | None, str]:
    """(the network that a file comes nearest to, the layer in which it differs)."""
    near: tuple[Differences, Kind] | None = None
    for pair in _candidates(shapes, want):
        if near is None or (len(pair[0]), -pair[0].alike) < (len(near[0]), -near[0].alike):
            near = pair
        if len(near[0]) <= NEAR:
            break
    like = (want.asked.like, want.input_shape, want.classes)
    if near is not None and near[0].alike >= ALIKE:
        kind = near[1]
    elif want.asked.like and layout(like):
        kind = like
    else:
        return None, str(unrecognised("")).removeprefix(": ")
    return kind, told(layout(kind), shapes)


def _candidates(shapes: Shapes, want: Wanted) -> Iterator[tuple[Differences, Kind]]:
    like = [(want.asked.like, want.input_shape, want.classes)] if want.asked.like else []
    for kind in dict.fromkeys((*want.kinds, *like, *likely(shapes, want.input_shape, want.classes))):
        if own := layout(kind):
            yield differences(own, shapes), kind


def _unusable(state: Mapping[str, Tensor], kind: Kind) -> str:
    """Return what keeps tensors of the right shapes out: complex numbers, some too large for float32, broken ties."""
    try:
        fitting(meta_network(kind), state, "file")
    except (CheckpointError, DataError) as error:
        return str(error).removeprefix("file: ")
    return ""


def _stored(state: Mapping[str, Tensor]) -> str:
    """Return the types of the numbers that are no counters: "float32", "bfloat16 and float32"."""
    types = sorted({str(value.dtype).removeprefix("torch.") for value in state.values() if value.is_floating_point()})
    return " and ".join(types) or "no floating-point numbers"


def _not_finite(state: Mapping[str, Tensor]) -> list[tuple[str, str]]:
    """(tensor, "NaN" or "Inf") for each with any."""
    found = []
    for name, value in state.items():
        if value.is_floating_point() and not torch.isfinite(value).all():
            found.append((name, "NaN" if torch.isnan(value).any() else "Inf"))
    return found


def _told_not_finite(bad: list[tuple[str, str]]) -> list[str]:
    if not bad:
        return []
    rest = f", and {len(bad) - 1} more" if len(bad) > 1 else ""
    return [f"layer {bad[0][0]!r} holds {bad[0][1]}{rest}"]


def _extreme(state: Mapping[str, Tensor]) -> list[str]:
    """Return which layers hold weights that are far larger than their others, or than any in a trained network."""
    notes = []
    for name, value in state.items():
        if value.is_floating_point() and value.numel() and not name.endswith(BUFFERS):
            largest, sd = float(value.abs().max()), _usual_sd(value)
            if largest > LARGE or (sd > 0 and largest > MANY_SDS * sd):
                often = f", {largest / sd:.2g} times the SD of the others" if sd > 0 else ""
                notes.append(f"layer {name!r}: its largest weight is {largest:.3g}{often}")
    return notes


def _usual_sd(value: Tensor) -> float:
    """Return the SD of a layer's weights but the largest hundredth, from some of them spread over all."""
    flat = value.detach().reshape(-1)
    some = flat[:: max(1, flat.numel() // SAMPLED)].double()
    some = some[torch.isfinite(some)]
    kept = some.abs().sort().indices[: max(1, int(0.99 * some.numel()))]
    return float(some[kept].std(correction=0)) if some.numel() > 1 else 0.0


def refusal(error: SoftMergeError, file: str, *names: str) -> Verdict:
    """The verdict on a file that cannot be read at all, whose messages begin with one of these ``names``."""
    said = str(error)
    for name in names:
        said = said.removeprefix(f"{name}: ")
    return Verdict(file=file, problem=said)
