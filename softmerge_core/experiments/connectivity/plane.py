"""The plane of a connectivity run: its corners, its rows, and the path of gate training seen on it."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from softmerge_core.alignment import align
from softmerge_core.events import Event, PlaneRows, PlaneTrail, WeightPlane
from softmerge_core.experiments.connectivity.paths import prepared, times
from softmerge_core.experiments.connectivity.spec import STATISTICS, ConnectivitySpec
from softmerge_core.landscape import (
    Plane,
    Surface,
    bezier_points,
    network_at,
    plane_through,
    random_plane,
    weights_of,
)
from softmerge_core.merging.soft import soft_merge
from softmerge_core.numbers import rounded
from softmerge_core.settings import SoftMergeSettings

MARGIN = 0.3  # how far the plane reaches past its models, in units of their spread
REACH = 1.0  # of a random plane, in norms of the filters
LOOK = 10  # gate-training steps between two points of their path
CURVE_POINTS = 21  # points at which a Bezier curve is drawn and measured
MIDDLE = "middle of a Bezier curve"


class Stage(NamedTuple):
    """The plane, the landscape on it, and the networks at its corners (``modules``) with their names."""

    plane: Plane
    surface: Surface
    modules: tuple[nn.Module, ...]
    names: tuple[str, ...]


def as_bytes(weights: Tensor) -> bytes:
    """Weights [P] as bytes, to be handed from worker to worker."""
    return bytes(weights.double().numpy().tobytes())


def surface_of(spec: ConnectivitySpec, template: nn.Module) -> Surface:
    """The landscape on the samples of the picture below."""
    data = prepared(spec)[2]
    inputs, labels = data.split(spec.split)
    return Surface(
        template, {"shown": (inputs[: spec.samples], labels[: spec.samples])}, data.train_inputs[:STATISTICS]
    )


@lru_cache(maxsize=1)
def corners(spec: ConnectivitySpec) -> tuple[nn.Module, ...]:
    """The models of the picture below, permuted to match the first one where the spec says so."""
    modules, _, data = prepared(spec)
    if spec.align == "none" or spec.picture == "random":
        return modules
    return tuple(align(modules, data.train_inputs, how=spec.align, seed=spec.seed, to_mean=False))


@lru_cache(maxsize=1)
def stage(spec: ConnectivitySpec, third: bytes | None) -> Stage:
    """The plane of a spec; ``third``: the weights of its third corner where that is no model (see ``as_bytes``).

    Raises SourceError where the models span no plane.
    """
    modules, names, data = corners(spec), prepared(spec)[1], prepared(spec)[2]
    surface = surface_of(spec, modules[0])
    if spec.picture == "random":
        generator = torch.Generator().manual_seed(spec.seed)
        return Stage(random_plane(modules[0], weights_of(modules[0]), generator), surface, modules[:1], names[:1])
    if third is not None:
        middle = torch.from_numpy(np.frombuffer(third, dtype=np.float64).copy())
        modules = (*modules[:2], network_at(modules[0], middle, data.train_inputs[:STATISTICS]))
        names = (*names[:2], MIDDLE)
    a, b, c = (weights_of(module) for module in modules)
    return Stage(plane_through(a, b, c, (names[0], names[1], names[2])), surface, modules, names)


def axes(spec: ConnectivitySpec, plane: Plane) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The grid's lines along x and y: past the models by a margin, or as far as a random plane reaches."""
    if spec.picture == "random":
        line = _even(-REACH, REACH, spec.grid)
        return line, line
    found = []
    for values in zip(*plane.corners, strict=True):
        room = MARGIN * (max(values) - min(values))
        found.append(_even(min(values) - room, max(values) + room, spec.grid))
    return found[0], found[1]


def _even(low: float, high: float, count: int) -> tuple[float, ...]:
    return rounded(np.linspace(low, high, count).tolist())


def beginning(spec: ConnectivitySpec, third: bytes | None) -> list[Event]:
    """The announcement of the plane (its grid and the loss of the models on it), and the Bezier curve if it has one."""
    plane, surface, _, names = stage(spec, third)
    xs, ys = axes(spec, plane)
    places = torch.tensor(plane.corners, dtype=torch.float64)
    own = surface.at(plane.points(places[:, 0], places[:, 1]))["shown"]  # through the plane, as its rows are
    event = WeightPlane(
        step=0,
        span="random" if spec.picture == "random" else "models",
        x=xs,
        y=ys,
        names=names,
        corners=tuple(rounded(corner) for corner in plane.corners),
        loss=rounded(own[:, 0].tolist()),
        error=rounded(own[:, 1].tolist()),
        split=spec.split,
        samples=min(spec.samples, len(surface.splits["shown"][1])),
        classes=prepared(spec)[2].classes,
    )
    return [event, *([] if third is None else [_curve_trail(spec, third)])]


def _curve_trail(spec: ConnectivitySpec, third: bytes) -> PlaneTrail:
    """The Bezier curve itself, which lies in the plane of its ends and its middle."""
    plane, _, (first, second, middle), _ = stage(spec, third)
    a, b, half = (weights_of(module).double() for module in (first, second, middle))
    return _trail("bezier", plane, list(bezier_points(a, 2 * half - (a + b) / 2, b, times(CURVE_POINTS))))


def plane_rows(spec: ConnectivitySpec, third: bytes | None, first: int, count: int) -> PlaneRows:
    """Loss and error on ``count`` rows of the grid, from row ``first`` on."""
    plane, surface, _, _ = stage(spec, third)
    xs, ys = axes(spec, plane)
    chosen = ys[first : first + count]
    found = []
    for y in chosen:
        row = torch.tensor(xs, dtype=torch.float64)
        found.append(surface.at(plane.points(row, torch.full_like(row, y)))["shown"])
    loss, error = (tuple(_short(row[:, column].tolist()) for row in found) for column in (0, 1))
    return PlaneRows(step=first + len(chosen), first=first, loss=loss, error=error)


def _short(values: list[float]) -> tuple[float, ...]:
    """Four significant digits, which are more than a colour shows."""
    return rounded(values, digits=4)


def gate_trail(spec: ConnectivitySpec, third: bytes | None) -> PlaneTrail:
    """The merged network's weights while gates over the plane's three models are trained, projected on the plane."""
    plane, _, modules, names = stage(spec, third)
    seen: list[Tensor] = []
    settings = SoftMergeSettings(granularity=spec.gates, steps=spec.gate_steps, seed=spec.seed, evaluate_every=LOOK)
    soft_merge(
        modules,
        prepared(spec)[2].for_merging(),
        settings,
        names=names,
        observe=lambda network, step: seen.append(weights_of(network).double()),
    )
    return _trail("soft", plane, seen)


def _trail(series: str, plane: Plane, points: list[Tensor]) -> PlaneTrail:
    places = [plane.place(point) for point in points]
    x, y, off = (rounded([place[axis] for place in places]) for axis in range(3))
    return PlaneTrail(step=0, series=series, x=x, y=y, off=off, width=rounded([plane.corners[1][0]])[0])
