"""Addresses as people type them lead to the pages."""

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pages.shared.show.addresses import page_path, renamed, typed_addresses
from pages.site import ALSO, PAGES


@pytest.mark.parametrize(
    ("typed", "own"),
    [
        ("/merge", "/"),
        ("/Merge/", "/"),
        ("/home", "/"),
        ("/compare/", "/compare"),
        ("/COMPARE", "/compare"),
        ("//models", "/models"),
        ("/attacks", "/robustness"),
        ("/Federated_Learning", "/federated"),
    ],
)
def test_what_people_type_leads_to_the_page(typed: str, own: str) -> None:
    assert page_path(typed, PAGES, ALSO) == own


@pytest.mark.parametrize("path", ["/", "/compare", "/models", "/_stcore/health", "/app/static/plotly.js", "/nothing"])
def test_every_other_address_stays_as_it_is(path: str) -> None:
    assert page_path(path, PAGES, ALSO) is None


def test_other_words_name_pages_and_are_none_themselves() -> None:
    assert set(ALSO.values()) <= set(PAGES)
    assert not set(ALSO) & set(PAGES)


OLD, NEW = "Source+2%2C+20%25+label+noise+%2895.7+%25%29", "Source+2%2C+20+%25+label+noise+%2895.7+%25%29"


def test_links_with_a_name_of_before_find_the_network_of_today() -> None:
    assert renamed(f"a={OLD}&b={OLD}") == f"a={NEW}&b={NEW}"
    assert renamed(OLD.replace("+", "%20")) == NEW.replace("+", "%20").replace("20%20%25", "20+%25")
    assert renamed(f"a={NEW}&penalty=20%25+label") == f"a={NEW}&penalty=20%25+label"


def answer(path: str, method: str = "GET", query: str = "family=a%20b&run=1") -> dict[str, Any]:
    """The beginning of the answer to a request; status 200 is the app's own."""
    told: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message: Any) -> None:
        told.append(message)

    made = typed_addresses(lambda: (PAGES, ALSO))
    asked = {"type": "http", "method": method, "path": path, "query_string": query.encode(), "headers": []}
    asyncio.run(made.cls(app, *made.args, **made.kwargs)(asked, None, send))  # type: ignore[arg-type]
    first: dict[str, Any] = told[0]
    return first


def test_the_redirection_keeps_the_query_and_leaves_what_is_no_page() -> None:
    sent = answer("/Compare/")
    assert (sent["status"], dict(sent["headers"])[b"location"]) == (307, b"/compare?family=a%20b&run=1")
    assert answer("/compare")["status"] == 200
    assert answer("/merge", method="POST")["status"] == 200
    assert dict(answer("/compare", query=f"a={OLD}")["headers"])[b"location"] == f"/compare?a={NEW}".encode()
    assert dict(answer("/", query=f"a={OLD}")["headers"])[b"location"] == f"/?a={NEW}".encode()
    assert answer("/_stcore/health", query=f"a={OLD}")["status"] == 200
    assert answer("/compare", query=f"a={NEW}")["status"] == 200


@settings(max_examples=5 * settings().max_examples)
@given(path=st.text(max_size=30) | st.sampled_from(["/", "//merge", "/../merge", "/merge/\0", "/ME_RGE.html.html"]))
def test_any_address_means_a_page_or_stays_as_it_is(path: str) -> None:
    pages = ["merge", "compare"]
    own = page_path(path, pages, {"home": "merge"})
    assert own in (None, "/", "/compare")
    assert own is None or page_path(own, pages, {"home": "merge"}) is None  # nobody is led in circles
