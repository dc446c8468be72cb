"""Plotly's script is handed out by the server itself, under a name that has its version."""

import asyncio
from typing import Any

import plotly
import pytest
import streamlit as st
from starlette.requests import Request

from pages.shared.show import plotly_script


def test_the_installed_script_is_sent_and_may_be_kept() -> None:
    route = plotly_script.plotly_route()
    assert route.path == f"/app/static/plotly-{plotly.__version__}.min.js"
    sent: Any = asyncio.run(route.endpoint(Request({"type": "http", "method": "GET", "headers": []})))
    assert sent.path.stat().st_size > 1_000_000
    assert "immutable" in sent.headers["cache-control"]


def test_the_route_lies_under_the_base_of_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(st, "get_option", {"server.baseUrlPath": "/merge/"}.get)
    assert plotly_script.plotly_route().path == f"/merge/app/static/{plotly_script.NAME}"
