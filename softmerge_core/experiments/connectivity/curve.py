"""The Bezier curve of a connectivity run: trained step by step, and measured as it goes."""

from torch import Tensor, nn

from softmerge_core.events import BezierCurve, Progress
from softmerge_core.experiments.base import Context
from softmerge_core.experiments.connectivity.paths import prepared, times
from softmerge_core.experiments.connectivity.plane import CURVE_POINTS, as_bytes, corners, surface_of
from softmerge_core.experiments.connectivity.spec import STATISTICS, ConnectivitySpec
from softmerge_core.experiments.connectivity.words import curve_sentence
from softmerge_core.experiments.made import keep_made, made_like
from softmerge_core.landscape import CurveTraining, Surface, line_points, network_at, weights_of
from softmerge_core.numbers import finite, rounded

CHUNK = 20  # training steps between two measurements


def chunks(spec: ConnectivitySpec) -> int:
    """The number of measurements after the first: the curve's share of a run's progress."""
    return -(-spec.curve_steps // CHUNK)


def train_curve(spec: ConnectivitySpec, context: Context) -> tuple[bytes, dict[str, object]]:
    """Train the curve between the first two models, telling its loss and error every CHUNK steps.

    Returns the weights at the curve's middle (see ``as_bytes``), and the worst losses with a sentence. The middle
    network is kept as "curve-middle". A stop ends the training where it is; a resumed run trains the curve again
    from its beginning, with the same result.
    """
    first, second, *_ = corners(spec)
    job = _Job(spec, context, first, weights_of(first), weights_of(second))
    last = job.train()
    middle = job.training.points([0.5])[0]
    statistics = prepared(spec)[2].train_inputs[:STATISTICS]
    how = "The middle of a trained Bezier curve between its two ends"
    made = made_like(spec.sources[0].model, f"Middle of the curve: {spec.name}" if spec.name else how, how)
    keep_made(context, "curve-middle", made, network_at(first, middle, statistics))
    worst, straight_worst = (finite(max(values)) for values in (last.loss, last.straight_loss))
    return as_bytes(middle), {"worst": worst, "straight_worst": straight_worst, "reason": curve_sentence(last)}


class _Job:
    """The training of one curve between the weights ``a`` and ``b`` [P] of two networks like ``template``."""

    def __init__(self, spec: ConnectivitySpec, context: Context, template: nn.Module, a: Tensor, b: Tensor) -> None:
        self.spec, self.context = spec, context
        data = prepared(spec)[2]
        self.samples = min(spec.samples, len(data.split(spec.split)[1]))
        self.training = CurveTraining(
            template,
            a,
            b,
            data.train_inputs,
            data.train_labels,
            learning_rate=spec.curve_rate,
            steps=spec.curve_steps,
            seed=spec.seed,
        )
        self.surface = surface_of(spec, template)
        self.straight = _measured(self.surface, line_points(a, b, times(CURVE_POINTS)))

    def train(self) -> BezierCurve:
        """Take all steps, or as many as there are before a stop; returns the last measurement."""
        last = self.measure(0)
        for step in range(1, self.spec.curve_steps + 1):
            if self.context.should_stop():
                return last
            self.training.step()
            if step % CHUNK == 0 or step == self.spec.curve_steps:
                last = self.measure(step)
                self.context.emit(Progress(step=-(-step // CHUNK), total=chunks(self.spec)))
        return last

    def measure(self, trained: int) -> BezierCurve:
        """Tell loss and error along the curve after ``trained`` steps, beside those of the straight line."""
        loss, error = _measured(self.surface, self.training.points(times(CURVE_POINTS)))
        event = BezierCurve(
            step=trained,
            trained=trained,
            total=self.spec.curve_steps,
            t=rounded(times(CURVE_POINTS)),
            loss=loss,
            error=error,
            straight_loss=self.straight[0],
            straight_error=self.straight[1],
            split=self.spec.split,
            samples=self.samples,
        )
        self.context.emit(event)
        return event


def _measured(surface: Surface, points: Tensor) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """(losses in nats, errors 0-1) at ``points`` [T, P]."""
    loss, error = surface.at(points)["shown"].T.tolist()
    return rounded(loss), rounded(error)
