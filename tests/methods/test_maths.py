"""Every closed form against a naive reference in NumPy and float64, written tensor by tensor from the formula."""

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from softmerge_core import MergeData
from softmerge_core.evaluation import evaluate, predict
from softmerge_core.methods import merge
from softmerge_core.methods.dare import drop
from softmerge_core.methods.fisher import squared_gradients
from softmerge_core.methods.geometric_median import weiszfeld
from softmerge_core.methods.regmean import gather, rows, solve
from softmerge_core.methods.slerp import slerp
from tests.networks_for_tests import make_data, make_sources, perceptron

Arrays = dict[str, np.ndarray]
Naive = Callable[[list[Arrays], Arrays], Arrays]
KINDS = ["perceptron", "recurrent", "attention", "tied"]
DATA = make_data(40, dtype=torch.float64)
FEW = make_data(10, dtype=torch.float64)


def sources_of(kind: str = "perceptron", count: int = 4) -> list[nn.Module]:
    return [source.double().eval() for source in make_sources(kind, count, seed=3)]


def base_of(kind: str) -> nn.Module:
    return make_sources(kind, 1, seed=8)[0].double().eval()


def arrays(network: nn.Module) -> Arrays:
    return {name: parameter.detach().numpy().copy() for name, parameter in network.named_parameters()}


def check(name: str, kind: str, naive: Naive, count: int = 4, data: MergeData = DATA, **settings: Any) -> None:
    """Check that the method's weights are those that ``naive(sources, base)`` computes."""
    sources, base = sources_of(kind, count), base_of(kind)
    merged = arrays(merge(name, sources, data, base=base, **settings))
    expected = naive([arrays(source) for source in sources], arrays(base))
    assert merged.keys() == expected.keys()
    for key, value in expected.items():
        np.testing.assert_allclose(merged[key], value, rtol=1e-10, atol=1e-12, err_msg=key)


def each(sources: list[Arrays], of: Callable[[list[np.ndarray]], np.ndarray]) -> Arrays:
    return {name: np.asarray(of([source[name] for source in sources])) for name in sources[0]}


def as_vector(network: Arrays) -> np.ndarray:
    return np.concatenate([value.ravel() for value in network.values()])


def as_arrays(vector: np.ndarray, like: Arrays) -> Arrays:
    ends = np.cumsum([value.size for value in like.values()])
    pieces = np.split(vector, ends[:-1])
    return {name: piece.reshape(value.shape) for piece, (name, value) in zip(pieces, like.items(), strict=True)}


every_kind = pytest.mark.parametrize("kind", KINDS)


@every_kind
def test_average(kind: str) -> None:
    check("average", kind, lambda sources, _: each(sources, lambda values: sum(values) / 4))


@pytest.mark.parametrize("temperature", [0.05, 1.0])
def test_weighted_average_by_loss(temperature: float) -> None:
    losses = [evaluate(source, DATA.validation_inputs, DATA.validation_labels)[1] for source in sources_of()]
    parts = [math.exp(-loss / temperature) for loss in losses]

    def naive(sources: list[Arrays], _: Arrays) -> Arrays:
        return each(sources, lambda values: sum(p / sum(parts) * v for p, v in zip(parts, values, strict=True)))

    check("weighted_average", "perceptron", naive, temperature=temperature)


def test_weighted_average_by_hand() -> None:
    check(
        "weighted_average",
        "recurrent",
        lambda sources, _: each(sources, lambda v: (1 * v[0] + 3 * v[2]) / 4),
        weights=(1, 0, 3, 0),
    )


def test_greedy_soup_is_what_trying_all_prefixes_by_hand_gives() -> None:
    sources = sources_of(count=5)
    scores = [evaluate(source, DATA.validation_inputs, DATA.validation_labels) for source in sources]
    order = sorted(range(5), key=lambda k: (-scores[k][0], scores[k][1]))
    soup: list[int] = []
    best = 0.0
    for k in order:
        tried = _mean(sources, [*soup, k])
        accuracy = evaluate(tried, DATA.validation_inputs, DATA.validation_labels)[0]
        if accuracy >= best:
            soup, best = [*soup, k], accuracy
    merged, expected = merge("greedy_soup", sources, DATA), _mean(sources, soup)
    for ours, theirs in zip(merged.parameters(), expected.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-14)
    assert best >= max(accuracy for accuracy, _ in scores)


def _mean(sources: list[nn.Module], chosen: list[int]) -> nn.Module:
    states = [sources[k].state_dict() for k in chosen]
    network = perceptron().double().eval()
    network.load_state_dict({name: sum(state[name] for state in states) / len(states) for name in states[0]})
    return network


def naive_slerp(a: np.ndarray, b: np.ndarray, t: float) -> np.ndarray:
    norms = np.linalg.norm(a) * np.linalg.norm(b)
    cosine = np.clip((a * b).sum() / norms, -1, 1) if norms else 1  # a tensor of zeros has no direction
    if abs(cosine) > 0.9995:
        return (1 - t) * a + t * b
    angle = np.arccos(cosine)
    return (np.sin((1 - t) * angle) * a + np.sin(t * angle) * b) / np.sin(angle)


@every_kind
@pytest.mark.parametrize("t", [0.0, 0.3, 0.5, 1.0])
def test_slerp_of_two(kind: str, t: float) -> None:
    check("slerp", kind, lambda sources, _: each(sources, lambda v: naive_slerp(v[0], v[1], t)), count=2, t=t)


def test_slerp_of_three_gives_each_a_third() -> None:
    def naive(sources: list[Arrays], _: Arrays) -> Arrays:
        return each(sources, lambda v: naive_slerp(naive_slerp(v[0], v[1], 1 / 2), v[2], 1 / 3))

    check("slerp", "perceptron", naive, count=3)


def test_slerp_keeps_to_the_sphere_and_takes_zeros_and_opposites() -> None:
    a, b = torch.randn(2, 9, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    a, b = a / a.norm(), b / b.norm()
    for t in (0.1, 0.5, 0.9):
        assert slerp(a, b, t).norm() == pytest.approx(1)
    assert torch.equal(slerp(a, torch.zeros_like(a), 0.5), a / 2)
    assert torch.isfinite(slerp(a, -a, 0.5)).all()


@every_kind
@pytest.mark.parametrize("scale", [0.25, 0.8, -1.0])
def test_task_arithmetic(kind: str, scale: float) -> None:
    def naive(sources: list[Arrays], base: Arrays) -> Arrays:
        return {name: value + scale * sum(source[name] - value for source in sources) for name, value in base.items()}

    check("task_arithmetic", kind, naive, scale=scale)


def test_task_arithmetic_at_one_over_k_is_the_average() -> None:
    check("task_arithmetic", "tied", lambda sources, _: each(sources, lambda v: sum(v) / 4), scale=0.25)


def naive_trim(tau: np.ndarray, density: float) -> np.ndarray:
    kept = max(1, round(density * tau.size))
    trimmed = np.zeros_like(tau)
    for place in np.argsort(-np.abs(tau))[:kept]:
        trimmed[place] = tau[place]
    return trimmed


def naive_elect(taus: list[np.ndarray]) -> np.ndarray:
    merged = np.zeros_like(taus[0])
    for place in range(len(merged)):
        values = [tau[place] for tau in taus]
        agreeing = [value for value in values if value * sum(values) > 0]
        merged[place] = sum(agreeing) / len(agreeing) if agreeing else 0
    return merged


@pytest.mark.parametrize("kind", ["perceptron", "attention"])
@pytest.mark.parametrize(("density", "scale"), [(0.2, 1.0), (0.5, 0.7), (1.0, 1.0), (0.0001, 1.0)])
def test_ties(kind: str, density: float, scale: float) -> None:
    def naive(sources: list[Arrays], base: Arrays) -> Arrays:
        start = as_vector(base)
        taus = [naive_trim(as_vector(source) - start, density) for source in sources]
        return as_arrays(start + scale * naive_elect(taus), base)

    check("ties", kind, naive, density=density, scale=scale)


def test_dare_without_dropping_is_what_it_is_built_on() -> None:
    def naive(sources: list[Arrays], base: Arrays) -> Arrays:
        return {name: value + 0.4 * sum(source[name] - value for source in sources) for name, value in base.items()}

    check("dare", "perceptron", naive, drop=0.0, scale=0.4)
    sources, base = sources_of(), base_of("perceptron")
    dare = merge("dare", sources, base=base, drop=0.0, then="ties", ties_scale=0.9, density=0.3)
    ties = merge("ties", sources, base=base, scale=0.9, density=0.3)
    assert all(torch.equal(a, b) for a, b in zip(dare.parameters(), ties.parameters(), strict=True))


def test_dare_drops_the_share_it_says_and_keeps_the_expectation() -> None:
    tau = torch.ones(3, 100_000, dtype=torch.float64)
    for share in (0.1, 0.5, 0.9):
        kept = drop(tau, share, torch.Generator().manual_seed(0))
        assert sorted(kept.unique().tolist()) == pytest.approx([0, 1 / (1 - share)])
        assert (kept == 0).double().mean(1).tolist() == pytest.approx([share] * 3, abs=0.01)
        assert kept.mean().item() == pytest.approx(1, abs=0.02)
        assert not torch.equal(kept[0], kept[1])


@every_kind
@pytest.mark.parametrize("count", [2, 3, 4, 5])
def test_median(kind: str, count: int) -> None:
    check("median", kind, lambda sources, _: each(sources, lambda v: np.median(np.stack(v), 0)), count=count)


@pytest.mark.parametrize(("count", "trim", "out"), [(2, 0.25, 0), (3, 0.25, 1), (4, 0.25, 1), (7, 0.3, 3), (5, 0, 0)])
def test_trimmed_mean(count: int, trim: float, out: int) -> None:
    def naive(values: list[np.ndarray]) -> np.ndarray:
        return np.sort(np.stack(values), 0)[out : count - out].mean(0)

    check("trimmed_mean", "recurrent", lambda sources, _: each(sources, naive), count=count, trim=trim)


def test_geometric_median_has_the_least_sum_of_distances() -> None:
    """The gradient, which is the sum of the unit vectors to the sources, is zero, and no other point does better."""
    sources = [as_vector(arrays(source)) for source in sources_of(count=5)]
    sources[4] = sources[4] * 100
    theta = torch.from_numpy(np.stack(sources))
    median = weiszfeld(theta, 2000, 1e-12).numpy()
    units = [(source - median) / np.linalg.norm(source - median) for source in sources]
    assert np.linalg.norm(sum(units)) < 1e-5
    total = sum(np.linalg.norm(source - median) for source in sources)
    random = np.random.default_rng(0)
    for size in (1e-3, 1e-1, 1):
        other = median + size * random.standard_normal(median.shape)
        assert sum(np.linalg.norm(source - other) for source in sources) > total


def test_geometric_median_of_points_in_a_plane() -> None:
    """It is Fermat's point for a triangle with no wide angle, and a source that most of the others equal."""
    triangle = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.5, math.sqrt(0.75)]], dtype=torch.float64)
    torch.testing.assert_close(weiszfeld(triangle, 500, 1e-12), triangle.mean(0), rtol=1e-6, atol=1e-6)
    shared = torch.tensor([[1.0, 2.0]] * 3 + [[50.0, -3.0], [-70.0, 8.0]], dtype=torch.float64)
    torch.testing.assert_close(weiszfeld(shared, 500, 1e-12), shared[0], rtol=1e-4, atol=1e-4)


def test_geometric_median_is_weiszfelds_iteration() -> None:
    def naive(sources: list[Arrays], _: Arrays) -> Arrays:
        points = [as_vector(source) for source in sources]
        median = sum(points) / len(points)
        for _ in range(7):
            weights = [1 / np.linalg.norm(point - median) for point in points]
            median = sum(w * p for w, p in zip(weights, points, strict=True)) / sum(weights)
        return as_arrays(median, sources[0])

    check("geometric_median", "attention", naive, iterations=7, tolerance=0.0)


def naive_krum(points: list[np.ndarray], malicious: int) -> list[float]:
    found = []
    for k, point in enumerate(points):
        distances = sorted(float(((point - other) ** 2).sum()) for j, other in enumerate(points) if j != k)
        found.append(sum(distances[: max(1, len(points) - malicious - 2)]))
    return found


@pytest.mark.parametrize(("count", "malicious", "keep"), [(6, 1, 1), (7, 2, 3), (7, 0, 1), (5, 1, 4)])
def test_krum(count: int, malicious: int, keep: int) -> None:
    def naive(sources: list[Arrays], _: Arrays) -> Arrays:
        points = [as_vector(source) for source in sources]
        scores = naive_krum(points, malicious)
        best = sorted(range(count), key=lambda k: scores[k])[:keep]
        return as_arrays(sum(points[k] for k in best) / len(best), sources[0])

    check("krum", "perceptron", naive, count=count, malicious=malicious, keep=keep)


def test_krum_of_few_is_the_mean_of_the_two_that_are_nearest() -> None:
    sources = sources_of(count=4)
    points = [as_vector(arrays(source)) for source in sources]
    pair = min(itertools.combinations(range(4), 2), key=lambda p: np.linalg.norm(points[p[0]] - points[p[1]]))
    merged = as_vector(arrays(merge("krum", sources)))
    np.testing.assert_allclose(merged, (points[pair[0]] + points[pair[1]]) / 2, rtol=1e-12)


def naive_fisher(network: nn.Module, inputs: Tensor) -> Arrays:
    """Sum over samples and classes one by one."""
    total = {name: np.zeros(parameter.shape) for name, parameter in network.named_parameters()}
    for sample in inputs:
        logs = network(sample[None]).log_softmax(1)[0]
        for label in range(len(logs)):
            gradients = torch.autograd.grad(logs[label], list(network.parameters()), retain_graph=True)
            for name, gradient in zip(total, gradients, strict=True):
                total[name] += logs[label].exp().item() * gradient.numpy() ** 2 / len(inputs)
    return total


@every_kind
@pytest.mark.parametrize("normalise", [False, True])
def test_fisher(kind: str, normalise: bool) -> None:
    fishers = [naive_fisher(source, FEW.train_inputs) for source in sources_of(kind)]
    vectors = [as_vector(fisher) for fisher in fishers]
    if normalise:
        vectors = [vector / vector.mean() for vector in vectors]
    floor = 0.05 * np.concatenate(vectors).mean()

    def naive(sources: list[Arrays], _: Arrays) -> Arrays:
        points = [as_vector(source) for source in sources]
        top = sum((vector + floor) * point for vector, point in zip(vectors, points, strict=True))
        return as_arrays(top / sum(vector + floor for vector in vectors), sources[0])

    check("fisher", kind, naive, data=FEW, normalise=normalise, floor=0.05, samples=1000)


@pytest.mark.parametrize("kind", [*KINDS, "convolutional"])
def test_squared_gradients_are_of_the_labels_that_count(kind: str) -> None:
    network, inputs = sources_of(kind, 1)[0], FEW.train_inputs[:4]
    weights = torch.rand(4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    weights[0, 1] = weights[2] = 0
    found = squared_gradients(network, inputs, weights)
    for name, parameter in network.named_parameters():
        expected = torch.zeros_like(parameter)
        for sample, label in itertools.product(range(4), range(3)):
            log = network(inputs[sample][None]).log_softmax(1)[0, label]
            expected += weights[sample, label] * torch.autograd.grad(log, parameter)[0] ** 2
        torch.testing.assert_close(found[name], expected, rtol=1e-9, atol=1e-12)


def test_fisher_with_drawn_labels_comes_close_to_the_expectation() -> None:
    sources = sources_of()
    many = MergeData(DATA.train_inputs.repeat(100, 1), DATA.train_labels.repeat(100), *splits_of(DATA)[2:])
    drawn = as_vector(arrays(merge("fisher", sources, many, samples=4000, expectation="drawn")))
    exact = as_vector(arrays(merge("fisher", sources, DATA, samples=40)))
    average = as_vector(arrays(merge("average", sources)))
    assert np.linalg.norm(drawn - exact) < 0.1 * np.linalg.norm(exact - average)


def splits_of(data: MergeData) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    return data.train_inputs, data.train_labels, data.validation_inputs, data.validation_labels


def naive_regmean(xs: list[np.ndarray], ws: list[np.ndarray], alpha: float, ridge: float) -> np.ndarray:
    """Return [features, out] by the textbook formula with explicit inverses."""
    grams = [x.T @ x for x in xs]
    shrunk = [np.where(np.eye(len(gram)) > 0, gram, alpha * gram) for gram in grams]
    size = ridge * np.mean([sum(gram[i, i] for gram in grams) for i in range(len(grams[0]))])
    left = sum(shrunk) + size * np.eye(len(grams[0]))
    right = sum(gram @ w for gram, w in zip(shrunk, ws, strict=True)) + size * sum(ws) / len(ws)
    return np.linalg.inv(left) @ right


@pytest.mark.parametrize(("alpha", "ridge"), [(0.0, 1e-4), (0.5, 1e-4), (1.0, 0.1)])
def test_regmean_of_a_perceptron(alpha: float, ridge: float) -> None:
    networks = sources_of()
    inputs = DATA.train_inputs.numpy()

    def naive(sources: list[Arrays], _: Arrays) -> Arrays:
        merged = each(sources, lambda v: sum(v) / 4)
        hidden = [np.maximum(inputs @ s["0.weight"].T + s["0.bias"], 0) for s in sources]
        for name, xs in (("0.weight", [inputs] * 4), ("2.weight", hidden)):
            merged[name] = naive_regmean(xs, [s[name].T for s in sources], alpha, ridge).T
        return merged

    sources = [arrays(network) for network in networks]
    merged = arrays(merge("regmean", networks, DATA, alpha=alpha, ridge=ridge, samples=1000))
    for name, value in naive(sources, {}).items():
        np.testing.assert_allclose(merged[name], value, rtol=1e-8, atol=1e-10, err_msg=name)


def test_regmean_without_shrinking_is_least_squares() -> None:
    random = np.random.default_rng(0)
    xs = [random.standard_normal((30, 5)) for _ in range(3)]
    ws = [random.standard_normal((5, 2)) for _ in range(3)]
    grams = [torch.from_numpy(x.T @ x)[None] for x in xs]
    found = solve(grams, [torch.from_numpy(w.T.copy()) for w in ws], alpha=1.0, ridge=1e-12)
    stacked, targets = np.concatenate(xs), np.concatenate([x @ w for x, w in zip(xs, ws, strict=True)])
    np.testing.assert_allclose(found.T.numpy(), np.linalg.lstsq(stacked, targets, rcond=None)[0], rtol=1e-7)


def test_regmean_averages_what_belongs_to_dead_features() -> None:
    gram = torch.diag(torch.tensor([2.0, 0.0], dtype=torch.float64))[None]
    ones = torch.ones(3, 2, dtype=torch.float64)
    solved = solve([gram, 3 * gram], [1 * ones, 5 * ones], alpha=0.9, ridge=1e-6)
    torch.testing.assert_close(solved[:, 0], 4 * ones[:, 0], rtol=1e-5, atol=0)
    torch.testing.assert_close(solved[:, 1], 3 * ones[:, 1])


LAYERS = [
    nn.Linear(4, 3),
    nn.Conv1d(4, 6, 3, stride=2, padding=1, dilation=2),
    nn.Conv1d(4, 6, 3, padding="same", groups=2),
    nn.Conv2d(4, 6, 3, stride=(2, 1), padding=(1, 2)),
    nn.Conv2d(4, 8, (3, 2), groups=4),
    nn.Conv2d(4, 6, 3, padding=1, padding_mode="circular"),
    nn.Conv2d(4, 6, 3, padding="valid", padding_mode="reflect"),
]


@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_a_layers_rows_times_its_weight_are_its_outputs(layer: nn.Linear | nn.Conv1d | nn.Conv2d) -> None:
    layer = layer.double()
    sizes = {nn.Linear: (5, 4), nn.Conv1d: (5, 4, 11), nn.Conv2d: (5, 4, 7, 8)}[type(layer)]
    inputs = torch.randn(sizes, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    features = rows(layer, inputs)
    products = features @ layer.weight.reshape(len(features), -1, features.shape[2]).mT  # [groups, rows, out]
    assert layer.bias is not None
    outputs = layer(inputs).movedim(1, -1).reshape(-1, len(layer.weight)) - layer.bias
    torch.testing.assert_close(products.transpose(0, 1).flatten(1), outputs, rtol=1e-10, atol=1e-12)


def test_regmean_gathers_every_use_of_a_weight() -> None:
    """A tied matrix has the rows of both its uses; weights that belong to no layer have none."""
    tied, inputs = sources_of("tied", 1)[0], DATA.train_inputs
    grams = gather(tied, torch.float64, inputs)
    first = tied.get_submodule("first")(inputs).relu()
    expected = inputs.T @ inputs + first.T @ first
    torch.testing.assert_close(grams["first.weight"][0], expected, rtol=1e-9, atol=1e-9)
    assert set(grams) == {"first.weight", "head.weight"}
    assert set(gather(sources_of("attention", 1)[0], torch.float64, inputs)) == {"head.weight"}


def test_ensemble() -> None:
    sources = sources_of()
    found = predict(merge("ensemble", sources), DATA.validation_inputs).numpy()
    logits = [predict(source, DATA.validation_inputs).numpy() for source in sources]
    mean = sum(np.exp(x) / np.exp(x).sum(1, keepdims=True) for x in logits) / 4
    np.testing.assert_allclose(found, np.log(mean), rtol=1e-10)
