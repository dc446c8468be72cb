"""Small frozen records that an experiment emits while it runs: plain numbers only, never live tensors."""

from collections.abc import Sequence
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

Matrix = tuple[tuple[float, ...], ...]
Counts = tuple[tuple[int, ...], ...]
Some = TypeVar("Some", bound="Event")


class Event(BaseModel):
    """``step``: steps done in the whole run; ``seconds``: monotonic time since the run began (pauses included)."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")
    step: int = Field(ge=0)
    seconds: float = Field(default=0.0, ge=0)


class Stage(Event):
    """A stage of ``stages`` (0: not known) begins; in a merge ``parts`` names the rows of the gate pictures to come."""

    kind: Literal["stage"] = "stage"
    stage: str
    title: str
    parts: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    stages: int = 0
    groups: tuple[str, ...] = ()  # per part: the layer it lies in, for drawing channels in blocks
    sizes: tuple[int, ...] = ()  # per part: its gates of each source, where it is a layer that stands for its channels


class Progress(Event):
    """``step`` of ``total`` steps are done; ``least`` and ``most``: seconds to the end, where the run can tell."""

    kind: Literal["progress"] = "progress"
    total: int
    least: float | None = Field(default=None, ge=0)
    most: float | None = Field(default=None, ge=0)


class Gates(Event):
    """The gates as they stand: [part][source] probability open, P(z != 0), and deterministic value z, both 0-1."""

    kind: Literal["gates"] = "gates"
    stage: str
    probability: Matrix
    value: Matrix
    share: Matrix = ()  # where the stage has ``sizes``, all are means over a part's gates, as is the share of a source
    closed: Counts = ()  # ... and so many of them are at z = 0
    opened: Counts = ()  # ... and at z = 1


class Loss(Event):
    """Training losses at this step, in nats; in a merge ``total = task + penalty``."""

    kind: Literal["loss"] = "loss"
    series: str
    task: float
    penalty: float = 0.0
    total: float


class Evaluation(Event):
    """Accuracy (0-1) and loss (nats) of one network on a whole split; ``series``: a method's key or a source's name."""

    kind: Literal["evaluation"] = "evaluation"
    series: str
    split: Literal["train", "validation", "test"]
    accuracy: float
    loss: float


BEST = "best_source"  # the ``series`` of the best source's own evaluations and scores


class Score(Event):
    """What one method made of the sources in one case, on test data; ``problem`` says why there is nothing.

    ``series``: a method's key, "best_source", or a source's name; ``case``: what was varied, in a word or two, where
    ``malicious`` sources were attacked with ``strength``; ``accuracy`` and ``calibration`` (expected calibration
    error) 0-1, ``loss`` in nats, ``took`` in seconds, ``memory``: peak above what the process had before, in MB;
    ``correct``: the test samples it gets right as ``statistics.pack`` writes them, "" in runs that did not keep them;
    ``best``: it is the end of a path with the lower validation loss; ``labels``: the labelled samples used, 0: all.
    """

    kind: Literal["score"] = "score"
    series: str
    case: str = ""
    malicious: int = 0
    strength: float = 0.0
    seed: int = 0
    accuracy: float = float("nan")
    loss: float = float("nan")
    calibration: float = float("nan")
    validation: float = float("nan")
    took: float = 0.0
    memory: float = 0.0
    correct: str = ""
    best: bool = False
    labels: int = Field(default=0, ge=0)
    problem: str = ""


class Blame(Event):
    """Who is to blame: per source its mean gate value (0-1), and what leaving it out of the average gains (0-1)."""

    kind: Literal["blame"] = "blame"
    case: str
    sources: tuple[str, ...]
    malicious: tuple[bool, ...]
    gates: tuple[float, ...]
    gains: tuple[float, ...]


class Boundary(Event):
    """The class predicted at each point of a size x size grid over (x0, x1, y0, y1), row by row from y0."""

    kind: Literal["boundary"] = "boundary"
    series: str
    extent: tuple[float, float, float, float]
    size: int
    classes: tuple[int, ...]
    kept: bool = False  # whether it is of the network that a finished merge kept


class Points(Event):
    """Points of a two-dimensional data set with their labels, drawn over its boundary."""

    kind: Literal["points"] = "points"
    x: tuple[float, ...]
    y: tuple[float, ...]
    labels: tuple[int, ...]


class Shards(Event):
    """Who has which samples: [client][class] counts, and which clients are malicious."""

    kind: Literal["shards"] = "shards"
    counts: tuple[tuple[int, ...], ...]
    malicious: tuple[bool, ...]


class FederatedRound(Event):
    """One round (``step``) of one overlaid run (``series``), beside its Evaluation on test data.

    ``clients``: who took part, with the ``accuracies`` (0-1) of their networks after local training on all test data
    and, where the server trains gates, their mean ``gates`` (0-1). Of honest clients: ``drift``, mean |y - x| / |x|,
    and ``spread``, mean Jeffreys divergence (nats) of a layer's scope from the fused one.
    """

    kind: Literal["federated_round"] = "federated_round"
    series: str
    clients: tuple[int, ...]
    accuracies: tuple[float, ...]
    drift: float
    spread: float
    gates: tuple[float, ...] = ()
    excluded: tuple[int, ...] = ()


class WeightPath(Event):
    """Loss (nats) and error (0-1) of the networks along a path in weight space, at ``t`` from 0 to 1.

    ``series``: an overlay's key between two models, or "start:0" / "start:1" from a model's initial weights to it;
    ``note`` says what the path's ends are, or why there is none.
    """

    kind: Literal["weight_path"] = "weight_path"
    series: str
    t: tuple[float, ...] = ()
    train_loss: tuple[float, ...] = ()
    train_error: tuple[float, ...] = ()
    test_loss: tuple[float, ...] = ()
    test_error: tuple[float, ...] = ()
    note: str = ""


class WeightPlane(Event):
    """A plane of weight space to come: grid lines ``x``, ``y``, and the ``corners`` (x, y) of the models on it.

    ``loss`` (nats) and ``error`` (0-1) of these models on the first ``samples`` of ``split``; ``span``: "models",
    where x and y are distances between weights, or "random", in norms of the model's filters.
    """

    kind: Literal["weight_plane"] = "weight_plane"
    span: Literal["models", "random"]
    x: tuple[float, ...]
    y: tuple[float, ...]
    names: tuple[str, ...]
    corners: Matrix
    loss: tuple[float, ...]
    error: tuple[float, ...]
    split: Literal["train", "test"]
    samples: int
    classes: int


class PlaneRows(Event):
    """Loss (nats) and error (0-1) on some rows of a plane's grid, from row ``first`` on: [row][column]."""

    kind: Literal["plane_rows"] = "plane_rows"
    first: int
    loss: Matrix
    error: Matrix


class PlaneTrail(Event):
    """A path seen from above a plane: places and, in units of x, how far each lies off it. ``series``: whose path."""

    kind: Literal["plane_trail"] = "plane_trail"
    series: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    off: tuple[float, ...]
    width: float  # distance of the first two models: what ``off`` is compared with


class BezierCurve(Event):
    """A Bezier curve after ``trained`` of ``total`` training steps: loss (nats) and error (0-1) along it."""

    kind: Literal["bezier_curve"] = "bezier_curve"
    trained: int
    total: int
    t: tuple[float, ...]
    loss: tuple[float, ...]
    error: tuple[float, ...]
    straight_loss: tuple[float, ...]  # of the straight line between the same ends, on the same samples
    straight_error: tuple[float, ...]
    split: Literal["train", "test"]
    samples: int


class Scopes(Event):
    """Mean and spread of each layer's weights in one network. ``series``: "<side>:<source>", or "<side>:target"."""

    kind: Literal["scopes"] = "scopes"
    series: str  # side: "start" (initial weights), "plain" or "aligned" (trained without or with scope alignment)
    layers: tuple[str, ...]
    mu: tuple[float, ...]
    sigma: tuple[float, ...]


class Histogram(Event):
    """One layer's weights in equal bins over [low, high], ``outside`` of them beyond; ``series`` as in Scopes.

    Beside the fitted Gaussian's ``mu`` and ``sigma``, skewness, excess ``kurtosis`` and the largest ``gap`` (0-1)
    between the empirical distribution function and the Gaussian's; ``kurtosis`` of a Gaussian is 0.
    """

    kind: Literal["histogram"] = "histogram"
    series: str
    layer: str
    low: float
    high: float
    counts: tuple[int, ...]
    outside: int
    mu: float
    sigma: float
    skewness: float
    kurtosis: float
    gap: float


class Barrier(Event):
    """Of one side's sources: what their average's error (0-1) and loss (nats) exceed the sources' mean by."""

    kind: Literal["barrier"] = "barrier"
    series: str
    error: float
    loss: float
    distance: tuple[float, ...] = ()  # per layer, the Jeffreys divergence (nats) of two scopes, the mean over pairs


class Notice(Event):
    """Something the reader should know, in one sentence."""

    kind: Literal["notice"] = "notice"
    text: str


AnyEvent = Annotated[
    Stage | Progress | Gates | Loss | Evaluation | Score | Blame | Boundary | Points | Notice | Scopes | Histogram
    | Barrier | Shards | FederatedRound | WeightPath | WeightPlane | PlaneRows | PlaneTrail | BezierCurve,
    Field(discriminator="kind"),
]  # fmt: skip
_ADAPTER: TypeAdapter[AnyEvent] = TypeAdapter(AnyEvent)


def parse_event(line: str | bytes) -> AnyEvent:
    """One event from its JSON line; raises pydantic.ValidationError (a ValueError) on anything else."""
    return _ADAPTER.validate_json(line)


def newest(events: Sequence[Event], kind: type[Some]) -> Some | None:
    """The last event of a kind, or None before the first."""
    return next((event for event in reversed(events) if isinstance(event, kind)), None)
