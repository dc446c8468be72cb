"""The contract of every attack in ``softmerge_core/attacks``; a new file is picked up by itself."""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor, nn

from softmerge_core.attacks import Attack, attacks, find_attack
from softmerge_core.data import load_dataset
from softmerge_core.data.base import Data
from softmerge_core.errors import NotFoundError
from softmerge_core.evaluation import predict
from softmerge_core.experiments import experiment, parse_spec
from softmerge_core.federated.server import federate
from softmerge_core.federated.settings import FederatedRun, Federation, FederationSettings
from softmerge_core.networks import build_network
from softmerge_core.settings import AttackSettings, DataSpec, TrainSettings
from softmerge_core.zoo.spoiling import spoil_network
from softmerge_core.zoo.words import how_trained, source_title
from tests.contracts.helpers import is_sentence, loaded_after, look, same_bits
from tests.contracts.memory import Memory
from tests.experiments.library import trained

ATTACKS: Mapping[str, Attack] = MappingProxyType(attacks())
every_attack = pytest.mark.parametrize("name", ATTACKS)


def settings_of(name: str, seed: int = 4) -> AttackSettings:
    return AttackSettings(kind=name, strength=find_attack(name).usual, seed=seed)


@every_attack
def test_it_says_in_words_what_it_does(name: str) -> None:
    attack = find_attack(name)
    for field in ("title", "mark", "does", "sends", "past"):
        assert getattr(attack, field), f"attack {name!r} has no {field!r}; expected it in words"
    assert is_sentence(attack.does), f"attack {name!r}: expected `does` to be a sentence, got {attack.does!r}"
    for field in ("mark", "sends", "past"):
        words = getattr(attack, field)
        assert not words.endswith("."), f"attack {name!r}: `{field}` is part of a sentence; expected no full stop"
    assert AttackSettings(kind=attack.name).kind == attack.name, f"attack {name!r} cannot be named in a spec"


@every_attack
def test_it_is_done_in_exactly_one_way(name: str) -> None:
    attack = find_attack(name)
    ways = [way for way in ("weights", "labels", "head") if getattr(attack, way) is not None]
    assert len(ways) == 1, f"attack {name!r}: expected exactly one of weights, labels and head, got {ways or 'none'}"


@every_attack
def test_its_strength_has_a_unit_and_other_strengths_or_there_is_none(name: str) -> None:
    attack = find_attack(name)
    assert attack.usual > 0, f"attack {name!r}: expected a usual strength above 0, got {attack.usual}"
    if attack.graded:
        assert len(attack.strengths) > 1, f"attack {name!r} has a unit; expected other strengths to show its reach"
        rising = sorted(set(attack.strengths)) == list(attack.strengths) and attack.strengths[0] >= 0
        assert rising, f"attack {name!r}: expected rising strengths from 0, got {attack.strengths}"
    else:
        assert not attack.strengths, f"attack {name!r} has strengths but no unit"
    named = "{strength" in attack.past
    assert named == attack.graded, f"attack {name!r}: `past` must name {{strength:g}} if and only if it has a unit"


@every_attack
def test_every_permitted_strength_does_what_it_says(name: str) -> None:
    """Another strength spoils in another way, none is above what a spec takes, and at 0 the weights are finite too."""
    attack = find_attack(name)
    highest = max((attack.usual, *attack.strengths))
    assert highest <= 1e6, f"attack {name!r}: a spec takes strengths up to 1e6, got {highest:g}"
    if not attack.graded:
        return
    strengths = sorted({0.0, *attack.strengths[::3], attack.usual} if attack.labels is None else {1.0, 3.0})
    states = {}
    for strength in strengths:
        spoiled = spoil_network(network(), AttackSettings(kind=name, strength=strength, seed=4), data())
        states[strength] = plain(spoiled.state_dict())
        finite = all(bool(torch.isfinite(value).all()) for value in spoiled.state_dict().values())
        assert finite or not attack.finite, f"attack {name!r}: at the permitted strength {strength:g} weights overflow"
    first, last = states[strengths[0]], states[strengths[-1]]
    same = all(torch.equal(first[key], last[key]) for key in first)
    assert not same, f"attack {name!r} has a unit, but strengths {strengths[0]:g} and {strengths[-1]:g} do the same"


def test_no_two_attacks_are_called_alike() -> None:
    for field in ("title", "mark", "does", "sends", "past"):
        words = [getattr(attack, field) for attack in ATTACKS.values()]
        twice = {word for word in words if words.count(word) > 1}
        assert not twice, f"two attacks share their {field!r}: {sorted(twice)}"


def test_listing_the_attacks_loads_no_torch() -> None:
    loaded = loaded_after("from softmerge_core.attacks import attacks\nattacks()")
    assert "torch" not in loaded, "listing the attacks loads torch; import it inside the functions that use it"


@every_attack
def test_a_model_says_how_it_was_made(name: str) -> None:
    attack = find_attack(name)
    how = how_trained(TrainSettings(), attack=settings_of(name))
    assert attack.past.format(strength=attack.usual) in how, f"attack {name!r} is not told in {how!r}"
    title = source_title(1, TrainSettings(), settings_of(name))
    assert title.endswith(attack.mark), f"attack {name!r}: expected its mark {attack.mark!r} behind {title!r}"


@cache
def data() -> Data:
    whole = load_dataset("digits")
    few = {f"train_{part}": getattr(whole, f"train_{part}")[:100] for part in ("inputs", "labels")}
    return Data(**{**vars(whole), **few})


def network() -> nn.Module:
    """A network with BatchNorm that has seen data, so that its statistics are its own."""
    made = build_network("resnet", data().input_shape, data().classes, 3)
    made.train()(data().train_inputs[:16])
    return made.eval()


def plain(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {key: value.double().nan_to_num(7, 8, 9) for key, value in state.items()}


@every_attack
def test_it_spoils_a_copy_reproducibly_and_the_source_stays(name: str) -> None:
    source, attack = network(), find_attack(name)
    seen, random = look([source]), torch.get_rng_state()
    first, second = (spoil_network(source, settings_of(name), data()) for _ in range(2))
    assert look([source]) == seen, f"attack {name!r} changes the source itself; it must spoil a copy"
    assert torch.equal(torch.get_rng_state(), random), f"attack {name!r} draws from global randomness; use `draw`"
    states = [plain(network.state_dict()) for network in (first, second)]
    same = all(torch.equal(states[0][key], states[1][key]) for key in states[0])
    assert same, f"attack {name!r}: the same seed gives two different copies"
    kinds = [{key: (value.shape, value.dtype) for key, value in n.state_dict().items()} for n in (source, first)]
    assert kinds[0] == kinds[1], f"attack {name!r} changes the shape or type of a tensor"
    before, after = plain(source.state_dict()), states[0]
    changed = [key for key in before if not torch.equal(before[key], after[key])]
    assert changed, f"attack {name!r} leaves every weight as it was"
    if attack.weights is not None:
        wrong = [key for key in changed if "running" in key or "num_batches" in key]
        assert not wrong, f"attack {name!r} changes BatchNorm's statistics: {wrong}"
    finite = all(bool(torch.isfinite(value).all()) for value in first.state_dict().values())
    assert finite == attack.finite, f"attack {name!r} declares finite={attack.finite}, but its weights say {finite}"
    assert not first.training, f"attack {name!r}: expected the copy in evaluation mode"


@pytest.mark.parametrize("name", [name for name, attack in ATTACKS.items() if attack.finite])
def test_another_seed_sends_something_else_if_it_says_so(name: str) -> None:
    """Those that are not finite are excluded from a merge, whatever their seed."""
    first, other = (spoil_network(network(), settings_of(name, seed), data()) for seed in (4, 5))
    differ = not same_bits(first, other)
    declared, told = find_attack(name).random, "other" if differ else "the same"
    assert differ == declared, f"attack {name!r} declares random={declared}, but another seed sends {told} weights"


@every_attack
def test_it_does_harm(name: str) -> None:
    """At its usual strength the network's answers are others: by a hundredth of their size at least."""
    source = network()
    before, after = (predict(n, data().test_inputs) for n in (source, spoil_network(source, settings_of(name), data())))
    change = float((after - before).abs().max() / before.abs().max())
    assert not change < 0.01, f"attack {name!r}: at its usual strength the answers change by {change:.2g} of their size"


@pytest.mark.parametrize("name", [name for name, attack in ATTACKS.items() if attack.labels is not None])
def test_its_labels_are_wrong_ones_in_a_tensor_of_their_own(name: str) -> None:
    labels, make = torch.arange(40) % 10, find_attack(name).labels
    assert make is not None
    given = labels.clone()
    made = make(given, 10)
    assert torch.equal(given, labels), f"attack {name!r} changes the data's labels in place; return others"
    sound = made.shape == labels.shape and made.dtype == labels.dtype and made.min() >= 0 and made.max() < 10
    assert sound, f"attack {name!r}: expected labels [40] in 0..9, got {made}"
    wrong = float((made != labels).double().mean())
    assert wrong > 0.5, f"attack {name!r}: expected most labels to be wrong, but only {wrong:.0%} are"


@every_attack
def test_robustness_runs_with_it(name: str) -> None:
    sources = tuple(trained(f"m{seed}", seed, steps=3) for seed in (0, 1, 2))
    values = {"kind": "robustness", "attack": name, "methods": ["average", "median"], "malicious": 1}
    spec = parse_spec(
        {**values, "sources": [s.model_dump() for s in sources], "data": DataSpec(dataset="moons").model_dump()}
    )
    experiment("robustness").check(spec)
    result = experiment("robustness").run(spec, Memory(patience=2))
    problems = {row["series"]: row["problem"] for row in result["rows"] if row.get("problem")}
    assert result["rows"], f"attack {name!r}: robustness measured nothing"
    assert not problems, f"attack {name!r}: robustness could not measure {problems}"


@every_attack
def test_federated_learning_runs_with_it(name: str) -> None:
    settings = FederationSettings(
        clients=3, rounds=1, local_epochs=1, server_samples=10, malicious=1, attack=name, batch_size=64
    )
    scene = Federation(data=DataSpec(dataset="moons", train_samples=60), network="mlp", settings=settings)
    [(_, report)] = list(federate(scene, FederatedRun(aggregation="median")))
    assert len(report.clients) == 3, f"attack {name!r}: expected 3 clients in the round, got {report.clients}"
    excluded = () if find_attack(name).finite else (2,)
    assert report.excluded == excluded, f"attack {name!r}: expected clients {excluded} left out, got {report.excluded}"


def test_an_unknown_attack_is_refused_with_the_known_ones_named() -> None:
    with pytest.raises(NotFoundError, match="extreme"):
        find_attack("flood")
    with pytest.raises(ValidationError, match="expected one of: extreme"):
        AttackSettings(kind="flood")
    listed = set(AttackSettings.model_json_schema()["properties"]["kind"]["enum"])
    assert listed == set(ATTACKS), f"the schema of a spec lists {sorted(listed)}"
