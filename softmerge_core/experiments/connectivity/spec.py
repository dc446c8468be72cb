"""A walk between trained networks: straight paths and their barriers, a plane of weights, a Bezier curve."""

from typing import Literal, Self

from softmerge_core.alignment.settings import How
from softmerge_core.attacks import find_attack
from softmerge_core.errors import SettingsError, SourceError
from softmerge_core.experiments.admission import check_sources, example_sources, small_sources
from softmerge_core.experiments.base import Spec
from softmerge_core.experiments.connectivity.words import OVERLAYS, STRIP, Overlay
from softmerge_core.settings import DataSpec, Granularity, SourceSpec, setting
from softmerge_core.zoo import families

EXAMPLE = "mnist1d-cnn-independent"
ROWS = 2  # of the plane in one task
STATISTICS = 128  # training samples for the BatchNorm statistics at each point of the picture below

Picture = Literal["plane", "random", "bezier"]
Norms = Literal["anew", "mixed"]


class ConnectivitySpec(Spec):
    """The models to walk between, the paths to take, and the picture to draw below them."""

    kind: Literal["connectivity"] = setting("connectivity", "Kind", "Which experiment: what lies between networks.")
    sources: tuple[SourceSpec, ...] = setting(
        (), "Models", "Where paths begin, where they end, and optionally the plane's third corner."
    )
    data: DataSpec = setting(DataSpec(), "Data", "The samples on which loss and error are measured.")
    overlays: tuple[Overlay, ...] = setting(
        ("plain", "weights", "weights_repair"), "Paths", "Straight paths, named by what is done to the models first."
    )
    starts: bool = setting(
        True, "From the initial weights", "Also walk from where each model's training began to where it ended."
    )
    picture: Picture = setting(
        "plane",
        "Picture below",
        "A plane through three models, a plane of random directions, or a curve between two models.",
    )
    align: How = setting(
        "none",
        "Align for the picture",
        "Permute the models to match the first one before the picture below is made.",
        more=True,
    )
    gates: Granularity = setting(
        "model", "Gates of the path", "What one gate covers in the merge whose path is drawn on the plane.", more=True
    )
    gate_steps: int = setting(
        400, "Gate steps", "Training steps in each stage of the soft merges.", ge=1, le=100_000, more=True
    )
    points: int = setting(
        25, "Points of a path", "How many networks are evaluated on each path.", ge=3, le=401, more=True
    )
    norms: Norms = setting(
        "anew",
        "BatchNorm",
        "Its statistics on the paths: estimated anew at every point, or mixed as the weights are; REPAIR always "
        "estimates them anew.",
        more=True,
    )
    grid: int = setting(
        41, "Points of the plane", "How many networks are evaluated along each side.", ge=5, le=201, more=True
    )
    samples: int = setting(
        400, "Samples", "How many samples the picture below uses; paths use all there are.", ge=2, le=10**6, more=True
    )
    split: Literal["train", "test"] = setting(
        "train", "Split", "The data on which the picture below is measured.", more=True
    )
    curve_steps: int = setting(600, "Curve steps", "Training steps of the Bezier curve.", ge=1, le=10**6, more=True)
    curve_rate: float = setting(0.01, "Curve rate", "Adam's step size for the Bezier curve.", gt=0, le=1e3, more=True)
    scope_epochs: int = setting(
        5, "Scope epochs", "Training epochs toward the fused scope.", ge=1, le=10_000, more=True
    )
    scope_weight: float = setting(
        1.0, "Scope weight", "The weight of the KL penalty (nats) in the loss.", ge=0, le=1e6, more=True
    )
    seed: int = setting(0, "Seed", "Starts every random choice.", ge=0, le=2**31 - 1, more=True)

    def settled(self) -> Self:
        """See Spec: the paths in the order of all paths."""
        return self.model_copy(update={"overlays": tuple(name for name in OVERLAYS if name in self.overlays)})


def example() -> ConnectivitySpec:
    """Return a spec that runs: three networks from different random weights (or the first family's)."""
    sources, data = example_sources()
    if family := families().get(EXAMPLE):
        sources = tuple(SourceSpec(model=f"{EXAMPLE}/{model.name}") for model in family.models)
        data = DataSpec(dataset=family.dataset)
    return ConnectivitySpec(name="Between networks from different random weights", sources=sources[:3], data=data)


def small() -> ConnectivitySpec:
    """Return a spec that runs in about a second."""
    sources, data = small_sources(3)
    few = {"points": 3, "grid": 5, "samples": 20, "gate_steps": 5, "scope_epochs": 1}
    return ConnectivitySpec.model_validate({"sources": sources, "data": data, "overlays": ("plain", "weights"), **few})


def check(spec: ConnectivitySpec) -> None:
    """Raise SoftMergeError for faults that can be found before any work; loads no torch."""
    if len(spec.sources) > 3:
        raise SourceError(f"expected two or three models (from, to, third), got {len(spec.sources)}")
    check_sources(spec.sources, spec.data)
    for number, source in enumerate(spec.sources):
        if source in spec.sources[:number]:
            raise SourceError(f"{source.model} was chosen twice: there is no path from a model to itself")
        if source.attack and not find_attack(source.attack.kind).finite:
            raise SourceError(f"{source.model}: no path leads to weights that are not finite ({source.attack.kind})")
    if not spec.overlays:
        raise SettingsError("paths: expected one or more, got none")
    if len(set(spec.overlays)) < len(spec.overlays):
        raise SettingsError(f"paths: expected each once, got {', '.join(spec.overlays)}")


def curve_is_corner(spec: ConnectivitySpec) -> bool:
    """Whether a trained Bezier curve gives the plane its third corner, because only two models were chosen."""
    return spec.picture == "plane" and len(spec.sources) == 2


def plan(spec: ConnectivitySpec) -> list[str]:
    """The keys of the tasks in the order in which they begin: the pictures at the top of the page come first."""
    keys = [f"path:{overlay}" for overlay in spec.overlays]
    keys += ["start:0", "start:1"] if spec.starts else []
    keys += [f"strip:{which}" for which in STRIP]
    if spec.picture == "plane":
        keys.append("trail")
    if spec.picture != "bezier":
        keys += [f"rows:{first}" for first in range(0, spec.grid, ROWS)]
    return keys
