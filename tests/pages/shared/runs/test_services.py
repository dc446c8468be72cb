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
