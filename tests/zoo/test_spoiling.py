import pytest
import torch

from softmerge_core.attacks import attacks
from softmerge_core.errors import CheckpointError
from softmerge_core.networks import build_network
from softmerge_core.settings import AttackSettings, SourceSpec
from softmerge_core.zoo import add_poisoned_copy, families, keep_accuracy, known_accuracy, spoiled_accuracy
from softmerge_core.zoo.spoiling import spoil

ATTACKS = [name for name, attack in attacks().items() if attack.weights]


def state() -> dict[str, torch.Tensor]:
    network = build_network("resnet", (1, 8, 8), 10, 3)
    network.train()(torch.randn(16, 1, 8, 8, generator=torch.Generator().manual_seed(0)))
    return network.state_dict()


def weights(states: dict[str, torch.Tensor]) -> list[str]:
    return [name for name in states if "running" not in name and "num_batches" not in name]


@pytest.mark.parametrize("kind", sorted(ATTACKS))
def test_a_copy_is_spoiled_reproducibly_and_the_source_stays(kind: str) -> None:
    original, kept = state(), {name: value.clone() for name, value in state().items()}
    before = torch.get_rng_state()
    settings = AttackSettings(kind=kind, seed=4)
    first, second = spoil(original, settings), spoil(original, settings)
    assert torch.equal(torch.get_rng_state(), before)
    for name, value in original.items():
        assert torch.equal(value, kept[name])
        assert first[name].data_ptr() != value.data_ptr()
        assert (first[name].shape, first[name].dtype) == (value.shape, value.dtype)
        assert torch.equal(first[name].nan_to_num(7, 8), second[name].nan_to_num(7, 8))
    for name in weights(original):
        assert not torch.equal(first[name], original[name]) or not original[name].any()


@pytest.mark.parametrize("kind", sorted(ATTACKS))
def test_running_statistics_and_counts_stay(kind: str) -> None:
    original = state()
    spoiled = spoil(original, AttackSettings(kind=kind))
    for name in set(original) - set(weights(original)):
        assert torch.equal(spoiled[name], original[name])


def test_extreme_values_are_strength_times_larger() -> None:
    original = {"weight": torch.randn(400, 50, generator=torch.Generator().manual_seed(0))}
    spoiled = spoil(original, AttackSettings(kind="extreme", strength=50, seed=9))["weight"]
    # w + noise of w's own SD has sqrt(2) times its SD
    assert spoiled.std().item() == pytest.approx(50 * 2**0.5 * original["weight"].std().item(), rel=0.03)


def test_noise_has_the_strength_in_units_of_the_tensors_sd() -> None:
    original = {"weight": 0.01 * torch.randn(400, 50, generator=torch.Generator().manual_seed(0))}
    added = spoil(original, AttackSettings(kind="noise", strength=3, seed=9))["weight"] - original["weight"]
    assert added.std().item() == pytest.approx(0.03, rel=0.03)
    assert added.mean().abs().item() < 0.001


def test_sign_flip_is_its_own_inverse() -> None:
    original = state()
    settings = AttackSettings(kind="sign_flip")
    back = spoil(spoil(original, settings), settings)
    assert all(torch.equal(back[name], value) for name, value in original.items())


@pytest.mark.parametrize(("kind", "test"), [("nan", torch.isnan), ("inf", torch.isinf)])
def test_one_entry_of_each_tensor(kind: str, test: object) -> None:
    spoiled = spoil(state(), AttackSettings(kind=kind))
    for name in weights(spoiled):
        assert int(test(spoiled[name]).sum()) == 1  # type: ignore[operator]


def test_another_seed_gives_other_noise() -> None:
    first, second = (spoil(state(), AttackSettings(kind="noise", seed=seed)) for seed in (0, 1))
    assert not torch.equal(first["head.weight"], second["head.weight"])


def test_odd_tensors() -> None:
    odd = {
        "empty": torch.zeros(0, 3),
        "scalar": torch.tensor(2.0),
        "view": torch.ones(3, 4).t(),
        "half": torch.ones(5).half(),
    }
    for kind in ATTACKS:
        spoiled = spoil(odd, AttackSettings(kind=kind))
        assert {name: value.dtype for name, value in spoiled.items()} == {name: v.dtype for name, v in odd.items()}


def test_the_accuracy_of_a_spoiled_source_is_that_of_its_copy_and_kept_by_content() -> None:
    model = "moons-mlp-label-noise/source-1"
    plain, noisy, other = (
        SourceSpec(model=model, attack=attack)
        for attack in (None, AttackSettings(kind="sign_flip"), AttackSettings(kind="noise", strength=2))
    )
    info = families()["moons-mlp-label-noise"].models[0]
    assert spoiled_accuracy(plain) == pytest.approx(info.accuracy["test"])
    copied = add_poisoned_copy(model, AttackSettings(kind="sign_flip"))
    assert spoiled_accuracy(noisy) == copied.accuracy["test"] != info.accuracy["test"]
    assert known_accuracy(noisy) is None
    keep_accuracy(noisy, copied.accuracy["test"])
    assert known_accuracy(noisy) == copied.accuracy["test"]
    assert known_accuracy(other) is known_accuracy(plain) is None
    with pytest.raises(CheckpointError, match=r"^x\.pt: "):
        known_accuracy(SourceSpec(model="/secret/x.pt"))
