"""The choices that all processes of a federation agree on."""

from softmerge_core.federated.dealing import is_malicious, participants
from tests.federated.test_algorithms import federation


def test_participants_are_drawn_anew_each_round() -> None:
    half = federation(participation=0.5)
    drawn = [participants(half, number) for number in range(1, 30)]
    assert all(len(set(some)) == 2 for some in drawn)
    assert set(sum(drawn, ())) == {0, 1, 2, 3}
    assert participants(federation(), 1) == (0, 1, 2, 3)


def test_the_clients_with_the_highest_numbers_are_malicious() -> None:
    assert [is_malicious(federation(malicious=1), client) for client in range(4)] == [False, False, False, True]
