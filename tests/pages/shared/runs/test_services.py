"""What the sessions of a server share goes on beside damaged runs."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from pages.shared.runs import services
from softmerge_core.experiments.merge.spec import example
from softmerge_core.runs import files
from tests.pages.conftest import Desk, texts


@pytest.mark.parametrize(
    ("name", "content"), [(files.END, b"garbage"), (files.QUEUE, b""), (files.END, b'{"status": "odd"}')]
)
def test_a_page_opens_beside_a_damaged_run_and_says_what_is_wrong(
    desk: Desk, open_app: Callable[..., AppTest], name: str, content: bytes
) -> None:
    live, bad = desk.store.create(example()), desk.store.create(example())
    (desk.store.folder(bad) / name).write_bytes(content)
    assert services.newest_live("merge") == live
    page = open_app(**{"merge-earlier": True})
    assert f"{name} of run".capitalize() in texts(page).replace("\\", "")


class _Cookies:
    """What Streamlit hands a page of its request, here with one cookie or none."""

    def __init__(self, cookie: str | None) -> None:
        self.cookies = {} if cookie is None else {services.COOKIE: cookie}


def _visitor(monkeypatch: pytest.MonkeyPatch, cookie: str | None) -> str:
    state: dict[str, str] = {}
    monkeypatch.setattr(services.st, "context", _Cookies(cookie))
    monkeypatch.setattr(services.st, "session_state", state)
    assert services.visitor() == services.visitor()  # asked again, it is the same
    return services.visitor()


def test_a_browser_is_known_by_its_cookie_however_that_is_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    value = bytes(range(16))
    masks = (b"\1\2\3\4", b"\xff\0\7\x80")
    masked = [bytes(one ^ mask[place % 4] for place, one in enumerate(value)) for mask in masks]
    cookies = [f"2|{mask.hex()}|{text.hex()}|1700000000" for mask, text in zip(masks, masked, strict=True)]
    first, second = (_visitor(monkeypatch, cookie) for cookie in cookies)
    assert first == second
    assert value.hex() not in first
    other = _visitor(monkeypatch, cookies[0].replace(masked[0].hex(), masked[1].hex()))
    assert other != first


@pytest.mark.parametrize(
    "cookie", [None, "", "2", "2||", "2||00|1", "2|zz|00|1", "2|00|zz|1", "2|0|0", "²|²|²", "2|00||1", "|" * 99]
)
def test_without_a_sound_cookie_each_session_is_a_visitor_of_its_own(
    monkeypatch: pytest.MonkeyPatch, cookie: str | None
) -> None:
    assert _visitor(monkeypatch, cookie) != _visitor(monkeypatch, cookie)
