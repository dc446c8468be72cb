"""The Bezier curve of a connectivity run: trained step by step, looked at as it goes."""

from typing import TYPE_CHECKING, Any

from softmerge_core.events import BezierCurve, Progress
from softmerge_core.experiments.base import Context
from softmerge_core.experiments.connectivity.paths import prepared, rounded, times
from softmerge_core.experiments.connectivity.plane import STATISTICS, as_bytes, corners, surface_of
from softmerge_core.experiments.connectivity.spec import CHUNK, ConnectivitySpec
from softmerge_core.experiments.connectivity.words import curve_sentence, finite

if TYPE_CHECKING:
    from softmerge_core.landscape import CurveTraining

POINTS = 21  # of the curve at each look


def train_curve(spec: ConnectivitySpec, context: Context) -> tuple[bytes, dict[str, Any]]:
    """(weights at the curve's middle, see ``as_bytes``; what came of it): every CHUNK steps its loss is told.

    The middle network is kept as "curve-middle". A stop ends it where it is; resumed, it is trained anew, the same way.
    """
    from softmerge_core.landscape import CurveTraining, line_points, network_at, weights_of

    first, second, *_ = corners(spec)
    data, surface = prepared(spec)[2], surface_of(spec, first)
    a, b = weights_of(first), weights_of(second)
    training = CurveTraining(
        first,
        a,
        b,
        data.train_inputs,
        data.train_labels,
        learning_rate=spec.curve_rate,
        steps=spec.curve_steps,
        seed=spec.seed,
    )
    straight = surface.at(line_points(a, b, times(POINTS)))["shown"]

    def look(trained: int) -> BezierCurve:
        found = surface.at(training.points(times(POINTS)))["shown"]
        event = BezierCurve(
            step=trained,
            trained=trained,
            total=spec.curve_steps,
            t=rounded(times(POINTS)),
            loss=rounded(found[:, 0].tolist()),
            error=rounded(found[:, 1].tolist()),
            straight_loss=rounded(straight[:, 0].tolist()),
            straight_error=rounded(straight[:, 1].tolist()),
            split=spec.split,
            samples=min(spec.samples, len(data.split(spec.split)[1])),
        )
        context.emit(event)
        return event

    last = _train(spec, context, training, look)
    middle = training.points([0.5])[0]
    context.save_weights("curve-middle", network_at(first, middle, data.train_inputs[:STATISTICS]).state_dict())
    worst, straight_worst = (finite(max(values)) for values in (last.loss, last.straight_loss))
    return as_bytes(middle), {"worst": worst, "straight_worst": straight_worst, "reason": curve_sentence(last)}


def _train(spec: ConnectivitySpec, context: Context, training: "CurveTraining", look: Any) -> BezierCurve:
    """All steps, or until asked to stop; returns the last look."""
    last: BezierCurve = look(0)
    for step in range(1, spec.curve_steps + 1):
        if context.should_stop():
            return last
        training.step()
        if step % CHUNK == 0 or step == spec.curve_steps:
            last = look(step)
            context.emit(Progress(step=-(-step // CHUNK), total=-(-spec.curve_steps // CHUNK)))
    return last
