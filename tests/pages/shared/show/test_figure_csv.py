"""Figures whose values can be had: those that were drawn last, as much as is kept of them."""

import asyncio
from collections import OrderedDict
from dataclasses import replace
from types import SimpleNamespace

import plotly.graph_objects as go
import pytest

from pages.shared.show import figure_csv
from pages.shared.show.drawn_figure import drawn_figure
from pages.shared.show.figure_csv import hand_out


@pytest.fixture(autouse=True)
def nothing_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin without figures of other tests."""
    monkeypatch.setattr(figure_csv, "_LAST", OrderedDict())


async def _status(name: str) -> int:
    request = SimpleNamespace(path_params={"name": name.removesuffix(".csv")})
    return (await figure_csv._send(request)).status_code  # type: ignore[arg-type]


def _drawn(number: int, size: int) -> str:
    drawn = drawn_figure(go.Figure(go.Scatter(x=[number], y=[0.1]), {"template": "none"}), "key")
    assert len(drawn.packed) < size
    hand_out(replace(drawn, written=bytes(size - len(drawn.packed))))
    return drawn.values


def test_of_many_figures_the_last_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figure_csv, "KEPT", 1000)
    names = [_drawn(number, 300) for number in range(5)]
    assert list(figure_csv._LAST) == names[2:]


def test_the_last_is_kept_whatever_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figure_csv, "KEPT", 1000)
    _drawn(0, 300)
    large = _drawn(1, 10_000)
    assert list(figure_csv._LAST) == [large]


def test_a_figure_drawn_again_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figure_csv, "KEPT", 1000)
    first, second, third = (_drawn(number, 300) for number in range(3))
    assert _drawn(0, 300) == first
    fourth = _drawn(3, 300)
    assert list(figure_csv._LAST) == [third, first, fourth]
    assert second not in figure_csv._LAST


def test_who_knows_the_name_gets_the_values_and_others_nothing() -> None:
    name = _drawn(7, 300)
    assert asyncio.run(_status(name)) == 200
    assert asyncio.run(_status("values-unknown.csv")) == 404


def test_what_somebody_holds_is_known_however_much_was_drawn_since_and_else_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(figure_csv, "KEPT", 1000)
    held = drawn_figure(go.Figure(go.Scatter(x=[0.5], y=[0.1])), "key")
    hand_out(held)
    names = [held.values, _drawn(1, 300)]
    for number in range(2, 8):
        _drawn(number, 300)
    assert [asyncio.run(_status(name)) for name in names] == [200, 404]
