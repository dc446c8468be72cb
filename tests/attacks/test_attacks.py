"""Every attack says what it does, in words and in exactly one way of doing it."""

import pytest
from pydantic import ValidationError

from softmerge_core.attacks import Attack, attacks, find_attack
from softmerge_core.errors import NotFoundError
from softmerge_core.settings import AttackSettings


@pytest.mark.parametrize("attack", attacks().values(), ids=list(attacks()))
def test_an_attack_is_whole(attack: Attack) -> None:
    assert sum(way is not None for way in (attack.weights, attack.labels, attack.head)) == 1
    assert all((attack.title, attack.mark, attack.does, attack.sends, attack.past))
    assert attack.does.endswith(".")
    assert not attack.sends.endswith(".")
    assert attack.past.format(strength=attack.usual)
    assert attack.graded == bool(attack.strengths)
    assert ("{strength" in attack.past) == attack.graded
    assert attack.usual > 0
    assert AttackSettings(kind=attack.name).kind == attack.name


def test_no_two_attacks_are_called_alike() -> None:
    for names in zip(*((a.title, a.mark, a.does, a.sends) for a in attacks().values()), strict=True):
        assert len(set(names)) == len(attacks())


def test_an_unknown_attack_is_refused_with_the_known_ones_named() -> None:
    with pytest.raises(NotFoundError, match="extreme"):
        find_attack("flood")
    with pytest.raises(ValidationError, match="expected one of: extreme"):
        AttackSettings(kind="flood")
    assert "extreme" in AttackSettings.model_json_schema()["properties"]["kind"]["enum"]
