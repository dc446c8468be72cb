"""The contract of every federated algorithm in ``softmerge_core/federated/algorithms``; a new file is picked up."""

from functools import cache
from itertools import combinations

import numpy as np
import pytest
import torch

from pages.shared.choose.form import limits
from softmerge_core.data.partitions import ShardSettings
from softmerge_core.errors import SettingsError
from softmerge_core.federated.algorithms import algorithms, find_algorithm
from softmerge_core.federated.algorithms.base import Memory, Round, Terms
from softmerge_core.federated.client import train_clients
from softmerge_core.federated.server import Server, load, save
from softmerge_core.federated.settings import FederatedRun, Federation, FederationSettings
from softmerge_core.figures.federated_style import run_styles
from softmerge_core.figures.style import THEMES, Theme
from softmerge_core.landscape import weights_of
from softmerge_core.settings import DataSpec
from tests.contracts.helpers import is_sentence, loaded_after
from tests.figures.test_style import BACKGROUNDS, contrast

NAMES = tuple(algorithms())
ROUNDS = 3
every_algorithm = pytest.mark.parametrize("name", NAMES)


@cache
def scene() -> Federation:
    """Four clients, three of which take part in a round."""
    settings = FederationSettings(
        clients=4,
        rounds=ROUNDS,
        local_epochs=1,
        batch_size=32,
        server_samples=10,
        participation=0.75,
        learning_rate=0.1,
    )
    data = DataSpec(dataset="moons", train_samples=130)
    return Federation(data=data, network="mlp", shards=ShardSettings(alpha=0.5), settings=settings)


def rounds(server: Server, count: int) -> torch.Tensor:
    """The server's weights [P] after ``count`` more rounds."""
    for _ in range(count):
        server.take(train_clients(server.tasks()))
    return weights_of(server.network)


@cache
def usual(name: str) -> torch.Tensor:
    return rounds(Server(scene(), FederatedRun(algorithm=name)), ROUNDS)


def test_the_algorithms_that_ship_are_there() -> None:
    missing = {"fedavg", "fedprox", "scaffold", "feddyn"} - set(NAMES)
    assert not missing, f"federated algorithms that ship are not found: {sorted(missing)}"


@every_algorithm
def test_it_says_what_it_is(name: str) -> None:
    algorithm = find_algorithm(name)
    for field in ("title", "paper"):
        assert getattr(algorithm, field), f"algorithm {name!r} has no {field}"
    assert is_sentence(algorithm.summary), f"algorithm {name!r}: expected a summary, one sentence"
    assert 1950 < algorithm.year < 2100, f"algorithm {name!r}: expected the year of its paper, got {algorithm.year}"
    for key, field in algorithm.settings.model_fields.items():
        assert field.title, f"algorithm {name!r}: setting {key!r} has no label"
        assert (field.description or "").endswith("."), (
            f"algorithm {name!r}: setting {key!r} needs a help of one sentence"
        )
        assert not field.is_required(), f"algorithm {name!r}: setting {key!r} has no default"


def test_titles_tell_algorithms_apart() -> None:
    titles = [algorithm.title for algorithm in algorithms().values()]
    assert len(set(titles)) == len(titles), f"two federated algorithms have one title: {sorted(titles)}"


@pytest.mark.parametrize("theme", THEMES)
def test_no_two_algorithms_look_alike_and_all_can_be_seen(theme: Theme) -> None:
    runs = [FederatedRun(algorithm=name, scope=scope) for name in NAMES for scope in (False, True)]
    styles = {key: (style.color, style.dash, style.marker) for key, style in run_styles(runs, theme).items()}
    for first, second in combinations(styles, 2):
        assert styles[first] != styles[second], f"algorithms {first!r} and {second!r} look alike: {styles[first]}"
    for key, (color, *_) in styles.items():
        for background in BACKGROUNDS[theme]:
            ratio = contrast(color, background)
            assert ratio >= 3, f"algorithm {key!r}: {color} has a contrast of {ratio:.2f}:1, below 3:1"


def test_listing_the_algorithms_loads_no_torch() -> None:
    loaded = loaded_after("from softmerge_core.federated.algorithms import algorithms\nalgorithms()")
    assert "torch" not in loaded, "listing the algorithms loads torch; import it inside the functions that use it"


@every_algorithm
def test_an_unknown_setting_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match=r"no_such_setting"):
        Server(scene(), FederatedRun(algorithm=name, settings={"no_such_setting": 1.0}))


@every_algorithm
def test_it_learns_finite_weights_the_same_at_every_run(name: str) -> None:
    random = torch.get_rng_state()
    server = Server(scene(), FederatedRun(algorithm=name))
    start = weights_of(server.network)
    found = rounds(server, ROUNDS)
    assert torch.isfinite(found).all(), f"algorithm {name!r}: the server's weights are not finite"
    assert not torch.equal(found, start), f"algorithm {name!r}: after {ROUNDS} rounds the weights are as at first"
    assert torch.equal(found, usual(name)), f"algorithm {name!r}: the same seed gives other weights the second time"
    assert torch.equal(torch.get_rng_state(), random), f"algorithm {name!r} draws from torch's global randomness"


@every_algorithm
def test_each_of_its_settings_has_an_effect(name: str) -> None:
    """With several local steps a round, for at the first one clients are where the server is."""
    settings = scene().settings.model_copy(update={"local_epochs": 3})
    busy = scene().model_copy(update={"settings": settings})
    usually = rounds(Server(busy, FederatedRun(algorithm=name)), ROUNDS)
    for key, field in find_algorithm(name).settings.model_fields.items():
        ends = [end for end in limits(field) if end is not None and end != field.default] or [2 * field.default]
        found = [rounds(Server(busy, FederatedRun(algorithm=name, settings={key: end})), ROUNDS) for end in ends]
        same = all(torch.equal(weights, usually) for weights in found)
        assert not same, f"algorithm {name!r}: its setting {key!r} changes nothing, be it {' or '.join(map(str, ends))}"


@every_algorithm
def test_from_a_snapshot_it_comes_to_the_same_weights(name: str) -> None:
    first = Server(scene(), FederatedRun(algorithm=name))
    rounds(first, 1)
    second = Server(scene(), FederatedRun(algorithm=name))
    load([second], save([first], {}))
    same = torch.equal(rounds(second, ROUNDS - 1), usual(name))
    assert same, f"algorithm {name!r}: resumed, it comes to other weights; keep all of its state in the memory"


@every_algorithm
def test_it_keeps_vectors_in_its_memory_and_replaces_them(name: str) -> None:
    algorithm, memory = find_algorithm(name), dict[str, torch.Tensor]()
    settings = algorithm.settings()
    generator = torch.Generator().manual_seed(0)
    for _ in range(2):
        before = {key: (value, value.clone()) for key, value in memory.items()}
        terms = [algorithm.terms(memory, client, settings) for client in range(3)]
        assert all(isinstance(term, Terms) and term.quadratic >= 0 for term in terms), (
            f"algorithm {name!r}: expected Terms with a quadratic part of at least 0, got {terms}"
        )
        finish(name, memory, generator)
        for key, (value, copy) in before.items():
            assert torch.equal(value, copy), f"algorithm {name!r} changes {key!r} of its memory in place; replace it"
        strange = [key for key, value in memory.items() if not isinstance(value, torch.Tensor) or value.shape != (5,)]
        assert not strange, f"algorithm {name!r}: expected vectors of 5 weights in its memory, got others in {strange}"


def finish(name: str, memory: Memory, generator: torch.Generator) -> None:
    """A round's end for three clients with five weights each; what the algorithm was given stays as it was."""
    start, *sent = torch.randn(4, 5, generator=generator, dtype=torch.float64)
    merged = torch.stack(sent).mean(0)
    end = Round(start, dict(enumerate(sent)), {0: 2, 1: 2, 2: 0}, merged, clients=3, learning_rate=0.1)
    given = [start.clone(), *(vector.clone() for vector in sent), merged.clone()]
    algorithm = find_algorithm(name)
    weights = algorithm.finish(end, memory, algorithm.settings())
    assert torch.isfinite(weights).all(), f"algorithm {name!r}: where a client took no step, weights are not finite"
    assert weights.shape == (5,), f"algorithm {name!r}: expected new weights [5], got {tuple(weights.shape)}"
    same = all(np.array_equal(a, b) for a, b in zip(given, [start, *sent, merged], strict=True))
    assert same, f"algorithm {name!r} changes in place what clients sent"
