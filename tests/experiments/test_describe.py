"""Specs in words: what made a run, and what differs between two."""

import pytest

from softmerge_core.experiments import Spec, experiment, experiments
from softmerge_core.experiments.compare.spec import CompareSpec, MethodChoice
from softmerge_core.experiments.describe import difference, differences, what_made
from softmerge_core.experiments.federated.spec import FederatedSpec
from softmerge_core.experiments.merge.spec import MergeSpec
from softmerge_core.experiments.robustness.spec import RobustnessSpec
from softmerge_core.methods import available_methods
from softmerge_core.settings import AttackSettings, DataSpec, SoftMergeSettings, SourceSpec

TRUNK = "mnist1d-cnn-shared-trunk"


def merge(count: int = 4, *, poison: str | None = None, train: int | None = None, **settings: object) -> MergeSpec:
    """A merge of the first sources of a family, the second of them poisoned."""
    attack = AttackSettings(kind=poison, strength=3) if poison else None
    sources = [
        SourceSpec(model=f"{TRUNK}/source-{number + 1}", attack=attack if number == 1 else None)
        for number in range(count)
    ]
    made = SoftMergeSettings.model_validate(settings)
    return MergeSpec(name=str(settings), sources=tuple(sources), data=DataSpec(train_samples=train), settings=made)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (merge(), "MNIST-1D CNN, shared trunk; 4 sources"),
        (merge(penalty=0.05), "MNIST-1D CNN, shared trunk; 4 sources; penalty 0.05"),
        (merge(poison="noise", train=1500), "; 4 sources; 1,500 training samples; Source 2 poisoned by noise"),
        (merge(parts={"conv1": "average", "conv2": "keep:1", "conv3": "gate"}), "averaged; conv2 kept from Source 2"),
        (merge(normalise=False, non_finite="exclude"), "normalise off; NaN or Inf weights exclude"),
        (FederatedSpec(network="mlp", data=DataSpec(dataset="digits")), "Multi-layer perceptron on Digits 8x8; 1 run"),
    ],
)
def test_what_made_a_run_is_its_networks_and_what_is_not_usual(spec: Spec, words: str) -> None:
    assert what_made(spec).endswith(words)


@pytest.mark.parametrize(
    ("spec", "other", "words"),
    [
        (merge(penalty=0.05), merge(), "penalty 0.05 instead of 0.002"),
        (merge(), merge(penalty=0.05), "penalty 0.002 instead of 0.05"),
        (merge(8), merge(), "8 sources instead of 4"),
        (merge(5), merge(), "with Source 5"),
        (merge(3), merge(), "without Source 4"),
        (merge(poison="noise"), merge(), "Source 2 poisoned by noise"),
        (merge(), merge(poison="noise"), "Source 2 not poisoned"),
        (merge(poison="nan"), merge(poison="noise"), "Source 2 poisoned by NaN instead of noise"),
        (merge(train=100), merge(), "100 training samples instead of all"),
        (merge(parts={"conv1": "average"}), merge(), "conv1 averaged"),
        (merge(), merge(parts={"conv1": "average"}), "conv1 gated"),
    ],
)
def test_a_difference_is_told_as_the_page_names_it(spec: Spec, other: Spec, words: str) -> None:
    assert difference(spec, other) == words


def test_a_network_of_the_readers_own_is_a_source_more_and_no_other_family() -> None:
    own = merge().model_copy(update={"sources": (*merge().sources, SourceSpec(model="library/mine"))})
    assert difference(merge(), own) == "without mine"
    assert difference(own, merge()) == "with mine"


def test_the_name_is_no_difference_and_neither_is_what_has_no_effect() -> None:
    named = merge().model_copy(update={"name": "Another"})
    assert differences(merge(), named) == []
    assert differences(merge(parts={"conv1": "gate"}), merge()) == []
    usual = RobustnessSpec(sources=merge().sources, strength=50)
    assert differences(RobustnessSpec(sources=merge().sources), usual) == []
    every = tuple(MethodChoice(method=name) for name in reversed(available_methods()))
    assert differences(CompareSpec(sources=merge().sources), CompareSpec(sources=merge().sources, methods=every)) == []
    without = FederatedSpec.model_validate({"settings": {"attack": "noise", "strength": 2}})
    assert differences(without, FederatedSpec()) == []


def test_methods_and_their_settings_are_named() -> None:
    chosen = (MethodChoice(method="soft", settings={"penalty": 0.5}), MethodChoice(method="krum"))
    spec = CompareSpec(sources=merge().sources, methods=chosen)
    usual = spec.model_copy(update={"methods": (MethodChoice(method="soft"),)})
    assert difference(spec, usual) == "with Krum, Soft merge: penalty 0.5"
    assert difference(usual, spec) == "without Krum, Soft merge: penalty 0.002"


def test_the_order_of_sources_is_a_difference() -> None:
    spec = merge()
    assert difference(spec, spec.model_copy(update={"sources": spec.sources[::-1]})) == "another order"


def test_neither_paths_nor_more_than_a_line_is_told() -> None:
    spec = MergeSpec(
        sources=(SourceSpec(model="/home/somebody/weights.pt"), SourceSpec(model="library/gone")),
        data=DataSpec(dataset="/home/somebody/data/own.npz"),
        settings=SoftMergeSettings(
            penalty=1, steps=2, seed=3, batch_size=4, rescale=True, device="cuda", temperature=1
        ),
    )
    said = what_made(spec) + difference(spec, merge())
    assert "somebody" not in said
    assert "own.npz" in said
    assert "and 2 more" in said


@pytest.mark.parametrize("kind", experiments())
def test_every_kind_can_be_told(kind: str) -> None:
    example, small = experiment(kind).example(), experiment(kind).small()
    assert what_made(example) != what_made(small)
    assert difference(example, small)
    assert difference(small, example)
    assert difference(example, example) == ""


@pytest.mark.parametrize("kind", experiments())
def test_a_spec_that_is_settled_stays_as_it_is(kind: str) -> None:
    for spec in (experiment(kind).example(), experiment(kind).small()):
        assert spec.settled().settled() == spec.settled()
