"""Weight scope alignment: sources trained without and with a pull toward one scope, and the average of each side."""

from typing import Any, Literal, Self

from softmerge_core.data import check_data_spec
from softmerge_core.errors import SettingsError, SourceError
from softmerge_core.experiments.admission import data_shape
from softmerge_core.experiments.base import Spec
from softmerge_core.networks import check_network
from softmerge_core.settings import DataSpec, Settings, TrainSettings, setting

MOST = 6  # sources

# The settings that a training factor changes in one source (arXiv 2408.12237, section on mode connectivity).
FACTORS: dict[str, dict[str, Any]] = {
    "weight_decay": {"weight_decay": 0.001},
    "feature_noise": {"feature_noise": 0.5},
    "label_noise": {"label_noise": 0.2},
    "adam": {"optimiser": "adam", "learning_rate": 0.001},
    "share": {"share": 0.2},
}


class SourceTraining(Settings):
    """The settings that may differ between sources: the training factors, and the seed of a source's random choices."""

    optimiser: Literal["sgd", "adam"] = setting("sgd", "Optimiser", "The method that moves the weights.")
    learning_rate: float = setting(0.05, "Learning rate", "Step size of the optimiser.", gt=0, le=1e30)
    weight_decay: float = setting(0.0, "Weight decay", "Pull of the weights toward zero.", ge=0, le=1)
    label_noise: float = setting(0.0, "Label noise", "Share of labels replaced by random ones.", ge=0, le=1)
    feature_noise: float = setting(
        0.0, "Feature noise", "Gaussian noise on the inputs, in their standard deviations.", ge=0, le=100
    )
    share: float = setting(1.0, "Data share", "Share of the training samples this source sees.", gt=0, le=1)
    seed: int = setting(0, "Seed", "Starts the order of samples and the noise.", ge=0, le=2**31 - 1)


def seed_of(number: int) -> int:
    """The default seed of a source, one of those that lead to a barrier from the default start."""
    return 121 + 110 * number


def sources_for(factor: str, count: int = 2) -> tuple[SourceTraining, ...]:
    """A plain source, and ``count`` - 1 others that differ by one of FACTORS; each has a seed of its own."""
    others = [SourceTraining(seed=seed_of(number), **FACTORS[factor]) for number in range(1, count)]
    return SourceTraining(seed=seed_of(0)), *others


class ScopeSpec(Spec):
    """The sources to train, the data and network, and the scope toward which the sources are pulled."""

    kind: Literal["scope"] = setting("scope", "Kind", "Which experiment: weight scope alignment.")
    data: DataSpec = setting(
        DataSpec(dataset="digits16"), "Data", "The samples that sources learn from and are tested on."
    )
    network: str = setting("vgg", "Network", "The architecture, by name.")
    sources: tuple[SourceTraining, ...] = setting(
        sources_for("weight_decay"), "Sources", "How each source is trained; two or more."
    )
    same_start: bool = setting(True, "Same initial weights", "Whether all sources start from the same random weights.")
    target: Literal["initial", "source", "fused", "dynamic"] = setting(
        "initial",
        "Target scope",
        "The scope toward which all are pulled: that of the initial weights, that of one source or all sources after "
        "plain training, or one that is fused again from the sources as they train.",
    )
    weight: float = setting(
        1.0, "KL weight", "How strong the pull is: the cost of one nat of divergence from the target.", ge=0, le=1e6
    )
    epochs: int = setting(60, "Epochs", "Passes over the training samples, in each stage.", ge=1, le=10_000)
    target_source: int = setting(
        0,
        "Chosen source",
        "The source whose scope is the target, counted from 0, which is Source A; for the target 'source'.",
        ge=0,
        more=True,
    )
    refuse_every: int = setting(
        5, "Fuse again every", "Epochs between two fusions of the scopes; for the target 'dynamic'.", ge=1, more=True
    )
    direction: Literal["forward", "reverse"] = setting(
        "forward", "Direction", "Forward: KL(own, target), which keeps close; reverse: KL(target, own).", more=True
    )
    fusion: Literal["mean", "mixture"] = setting(
        "mean",
        "Fusion",
        "Mean: average the means and the spreads; mixture: take mean and spread of all weights pooled.",
        more=True,
    )
    stages: int = setting(
        1,
        "Stages",
        "How often all are trained and merged; each further stage starts from the merged network.",
        ge=1,
        le=20,
        more=True,
    )
    schedule: Literal["constant", "cosine"] = setting(
        "cosine", "Schedule", "Learning rates stay constant, or fall to zero along a cosine in each stage.", more=True
    )
    batch_size: int = setting(64, "Batch size", "Training samples per step.", ge=1, le=65_536, more=True)
    seed: int = setting(21, "Seed of the start", "Draws the initial weights.", ge=0, le=2**31 - 1, more=True)
    keep: bool = setting(
        False, "Keep the models", "Put the sources trained with alignment into your library.", more=True
    )

    def settled(self) -> Self:
        """See Spec: settings that the target does not use are at their defaults."""
        used = {
            "target_source": self.target == "source",
            "refuse_every": self.target == "dynamic",
            "fusion": self.target != "source",
        }
        fields = type(self).model_fields
        return self.model_copy(update={name: fields[name].default for name, matters in used.items() if not matters})

    def training(self, number: int) -> TrainSettings:
        """The settings with which one source is trained in a stage."""
        own = self.sources[number].model_dump()
        return TrainSettings(epochs=self.epochs, batch_size=self.batch_size, schedule=self.schedule, **own)


def example() -> ScopeSpec:
    """Return a spec that runs."""
    return ScopeSpec(name="Two VGG-like networks from one start, the second with weight decay")


def small() -> ScopeSpec:
    """Return a spec that runs in about a second."""
    data = DataSpec(dataset="moons", train_samples=120)
    sources = (SourceTraining(), SourceTraining(optimiser="adam", learning_rate=0.01, seed=1))
    return ScopeSpec(data=data, network="mlp", sources=sources, epochs=2, target="dynamic", refuse_every=1)


def check(spec: ScopeSpec) -> None:
    """Raise SoftMergeError for faults that can be found before any work; loads no torch."""
    if len(spec.sources) < 2:
        raise SourceError(f"expected two or more sources, got {len(spec.sources)}")
    if len(spec.sources) > MOST:
        raise SourceError(f"expected at most {MOST} sources, got {len(spec.sources)}")
    if spec.target == "source" and spec.target_source >= len(spec.sources):
        raise SettingsError(
            f"Chosen source: expected one of the sources 0 to {len(spec.sources) - 1}, got {spec.target_source}"
        )
    check_data_spec(spec.data)
    check_network(spec.network, *data_shape(spec.data))
