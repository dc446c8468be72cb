"""Plotly's script is handed out by the server itself, under a name that has its version."""

import asyncio
import gzip
from typing import Any

import plotly
import pytest
import streamlit as st
from starlette.requests import Request

from pages.shared.show import plotly_script


def sent(*headers: tuple[bytes, bytes]) -> Any:
    """What the route answers to a request with these headers."""
    route = plotly_script.plotly_route()
    assert route.path == f"/app/static/plotly-{plotly.__version__}.min.js"
    return asyncio.run(route.endpoint(Request({"type": "http", "method": "GET", "headers": list(headers)})))


def test_the_installed_script_is_sent_and_may_be_kept() -> None:
    whole, packed = sent(), sent((b"accept-encoding", b"gzip, br"))
    assert whole.path == plotly_script.FILE
    assert gzip.decompress(packed.body) == whole.path.read_bytes()
    assert packed.headers["content-encoding"] == "gzip"
    for answer in (whole, packed):
        assert "immutable" in answer.headers["cache-control"]


@pytest.mark.parametrize(("kind", "announced"), [(b"text/html; charset=utf-8", True), (b"text/javascript", False)])
def test_pages_announce_the_script_and_nothing_else_does(kind: bytes, announced: bool) -> None:
    told: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind)]})
        await send({"type": "http.response.body", "body": b""})

    async def send(message: Any) -> None:
        told.append(message)

    middleware: Any = plotly_script.plotly_preload()
    asyncio.run(middleware.cls(app)({"type": "http"}, None, send))
    link = (b"link", f"</app/static/{plotly_script.NAME}>; rel=preload; as=script".encode())
    assert (link in told[0]["headers"]) == announced
    assert [message["type"] for message in told] == ["http.response.start", "http.response.body"]


def test_the_route_lies_under_the_base_of_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(st, "get_option", {"server.baseUrlPath": "/merge/"}.get)
    assert plotly_script.plotly_route().path == f"/merge/app/static/{plotly_script.NAME}"
