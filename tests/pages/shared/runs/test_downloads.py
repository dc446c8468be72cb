"""The names of downloads say what is in them."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from pages.shared.runs.downloads import file_name
from pages.shared.runs.reader import RunReader
from pages.shared.runs.services import run_store
from softmerge_core.experiments import experiments
from tests.pages.conftest import Desk


@pytest.mark.parametrize("kind", sorted(set(experiments()) - {"counting"}))  # an experiment of the tests
def test_a_file_is_named_after_page_content_networks_and_run(desk: Desk, kind: str) -> None:
    run_id = desk.store.create(experiments()[kind].small())
    name = file_name(RunReader(run_store(), run_id), "spec", "json")
    assert name.startswith(f"{kind}-spec-")
    assert name.endswith(f"-{run_id}.json")
    assert len(name.removeprefix(f"{kind}-spec-").removesuffix(f"-{run_id}.json")) > 3
    assert all(letter.isascii() and (letter.isalnum() or letter in "-_.") for letter in name)


def test_the_command_names_the_file_that_is_downloaded(open_app: Callable[..., AppTest]) -> None:
    page = open_app()
    family = "skills-mlp-experts"
    command = next(str(caption.value) for caption in page.caption if "on the command line" in str(caption.value))
    assert f"merge merge-spec-{family}-example-first-look.json --out merged" in command
