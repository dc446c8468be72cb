"""The names of downloads say what is in them."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages.shared.runs import bundles
from pages.shared.runs.downloads import file_name
from pages.shared.runs.reader import RunReader
from pages.shared.runs.services import run_store
from softmerge_core.experiments import experiments
from softmerge_core.export.bundle.mark import FILE as MARK
from softmerge_core.export.bundle.mark import Mark
from softmerge_core.runs.store import EXAMPLES
from tests.pages.conftest import Desk, file_buttons


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


def test_a_bundle_and_a_replay_are_made_only_when_asked_for_and_a_run_says_where_it_is_from(
    open_app: Callable[..., AppTest], desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, ...]] = []

    def command(*arguments: str, failure: str) -> dict[str, object]:
        asked.append(arguments)
        Path(arguments[2]).write_bytes(b"made")
        return {}

    monkeypatch.setattr(bundles, "engine_command", command)
    shutil.copytree(EXAMPLES / "first-look", desk.store.root / "brought")
    mark = Mark(run="<b>", digest="", softmerge="9.9", platform="Moon", exported="2026-01-02", imported="2026-01-03")
    (desk.store.root / "brought" / MARK).write_text(mark.model_dump_json())
    page = open_app(**{"merge:run": "brought"})
    buttons = file_buttons(page)
    assert buttons["Bundle"]["address"] == "app/made/bundle/brought"
    assert [label for label, data in buttons.items() if data["pictures"]] == ["Bundle"]
    assert json.loads(buttons["Spec"]["text"])["kind"] == "merge"
    assert asked == []
    told = "\n".join(str(caption.value) for caption in page.caption)
    assert "Brought in on 2026\\-01\\-03" in told
    assert "<b>" not in told
    assert bundles.bundled("brought", {"gates.svg": b"<svg></svg>"}) == b"made"
    assert bundles.replayed("brought") == b"made"
    assert [arguments[:2] for arguments in asked] == [("bundle", "brought"), ("replay", "brought")]
    assert asked[0][3].startswith("--figures=")
