"""Files that a server makes when a browser asks: only of runs and models that it has, and only for its own pages."""

import asyncio
import json
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response

from pages.shared.runs import made
from pages.shared.runs.made import FORMS, made_file
from softmerge_core.errors import SoftMergeError
from tests.pages.conftest import Desk

EXAMPLE = "example:first-look"
OURS = ((b"x-softmerge", b"file"),)
PICTURE = {"gates.svg": "data:image/svg+xml;base64,PHN2Zz48L3N2Zz4="}


def ask(form: str, what: str, body: bytes = b"{}", headers: Any = OURS) -> Response:
    """The answer to a browser's question."""

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    scope = {"type": "http", "method": "POST", "headers": list(headers), "path_params": {"form": form, "what": what}}
    return asyncio.run(made._send(Request(scope, receive)))


def told(answer: Response) -> tuple[int, str]:
    return answer.status_code, json.loads(bytes(answer.body))["problem"]


def test_a_file_is_handed_out_with_the_pictures_that_were_sent(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = ask("merged", EXAMPLE)
    assert bytes(weights.body) == desk.store.weights(EXAMPLE, "merged").read_bytes()
    monkeypatch.setitem(FORMS, "bundle", lambda what, pictures: repr((what, dict(pictures))).encode())
    answer = ask("bundle", EXAMPLE, json.dumps({"pictures": PICTURE}).encode())
    assert bytes(answer.body) == repr((EXAMPLE, {"gates.svg": b"<svg></svg>"})).encode()
    for odd in (b"", b"no JSON", b"[3]", b'{"pictures": 3}'):
        assert bytes(ask("bundle", EXAMPLE, odd).body) == repr((EXAMPLE, {})).encode()
    monkeypatch.setattr(made, "LARGEST_SENT", 10)
    too_large = ask("bundle", EXAMPLE, json.dumps({"pictures": PICTURE}).encode())
    assert bytes(too_large.body) == repr((EXAMPLE, {})).encode()


def test_pages_of_other_addresses_and_unknown_files_get_nothing(desk: Desk) -> None:
    assert ask("merged", EXAMPLE, headers=()).status_code == 400
    assert ask("passwd", EXAMPLE).status_code == 400


@pytest.mark.parametrize(
    "what", ["", "..", "../..", "/etc", "docs", "--help", "library/", "library/../x", "library/absent"]
)
@pytest.mark.parametrize("form", sorted(FORMS))
def test_only_runs_and_models_that_are_there_are_looked_for(desk: Desk, form: str, what: str) -> None:
    with pytest.raises(SoftMergeError):
        made_file(form, what)


def test_why_there_is_no_file_is_told_in_a_sentence(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    assert told(ask("trained", EXAMPLE)) == (404, f"Run '{EXAMPLE}' kept no weights called 'trained'.")

    def broken(*_: Any) -> bytes:
        raise RuntimeError("an accident of its own")

    monkeypatch.setitem(FORMS, "zip", broken)
    assert told(ask("zip", EXAMPLE)) == (404, "The file could not be made.")
