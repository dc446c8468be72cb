"""Weights files at the door of the pages: each is judged by itself, told by its layer, and kept where it fits."""

from pathlib import Path

import pytest
import torch
from streamlit.testing.v1 import AppTest

from pages.shared.choose import own_weights
from softmerge_core.checkpoints.files import save_checkpoint
from softmerge_core.errors import RunError, SettingsError
from softmerge_core.networks import build_network
from softmerge_core.zoo import Asked, Verdict, library, own_families
from tests.pages.conftest import Desk, opened

pytestmark = [pytest.mark.timeout(600), pytest.mark.usefixtures("warm_python")]  # torch, on a busy machine
OWN = """from pages.shared.choose.own import bring_own
from softmerge_core.zoo import families
bring_own(families()["moons-mlp-label-noise"])
"""
BRING = """from pages.models.bring_networks import bring_networks
from pages.shared.show.site_map import register_pages
from pages.site import site_pages
register_pages(site_pages())
bring_networks()
"""


def content(
    folder: Path, network: str = "mlp", shape: tuple[int, ...] = (2,), classes: int = 2, seed: int = 0
) -> bytes:
    save_checkpoint(build_network(network, shape, classes, seed), folder / "x.safetensors")
    return (folder / "x.safetensors").read_bytes()


def upload(page: AppTest, files: dict[str, bytes]) -> AppTest:
    for name, data in files.items():
        page.file_uploader(key="upload-weights").upload(name, data)
    page.run()
    assert not page.exception
    return page


def table(page: AppTest) -> str:
    """The HTML of the table with a line a file."""
    return next((str(found.proto.body) for found in page.get("html") if "sm-files" in str(found.proto.body)), "")


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[Asked]:
    """What is asked at the door, where every file is refused."""
    seen: list[Asked] = []

    def take_in(asked: Asked) -> list[Verdict]:
        seen.append(asked)
        assert all(file.path.is_file() for file in asked.files)
        return [Verdict(file=file.title, problem="layer 'x' is missing") for file in asked.files]

    monkeypatch.setattr(own_weights, "take_in", take_in)
    return seen


def test_uploads_are_kept_by_their_names_and_take_part(tmp_path: Path, desk: Desk) -> None:
    first, other = content(tmp_path), content(tmp_path, "cnn1d", (1, 40), 10)
    page = upload(
        opened(OWN), {"C:\\my nets\\--Größe 1 <b>.SafeTensors": first, "wrong.pt": b"nothing", "c.safetensors": other}
    )
    (model,) = library().values()
    assert (model.title, model.origin, model.dataset) == ("--Größe 1 <b>.SafeTensors", "uploaded", "moons")
    assert 0 <= model.accuracy["test"] <= 1
    assert page.session_state["own-models"] == [model.name]
    told = table(page)
    assert "--Größe 1 &lt;b&gt;.SafeTensors</td><td>mlp for 2, 2 classes, float32</td><td>yes</td><td></td>" in told
    assert "wrong.pt</td><td>not known</td><td>no</td><td>neither safetensors nor a torch file" in told
    assert "c.safetensors</td><td>cnn1d for 1\u00a0×\u00a040, 10 classes, float32</td><td>no</td>" in told
    assert "expects inputs of shape (1, 40), got data of shape (2,): choose the data it learned from" in told
    assert [str(error.value) for error in page.error] == ["1 of 3 files fit: the table says why."]
    assert "tmp" not in told


def test_networks_of_another_kind_than_the_family_are_kept_and_offered(tmp_path: Path, desk: Desk) -> None:
    page = opened(OWN, **{"own-data": None})
    page = upload(page, {"a.safetensors": content(tmp_path, classes=5), "b.safetensors": content(tmp_path, seed=3)})
    (five,) = (family for family in own_families().values() if family.classes == 5)
    assert page.session_state["own-others"] == {five.name}
    assert page.session_state["own-models"] == ["b"]


def test_what_is_not_finite_is_named_by_its_layer_with_the_setting_that_helps(tmp_path: Path, desk: Desk) -> None:
    network = build_network("mlp", (2,), 2, 0)
    network.hidden2.weight.data[0, 0] = float("nan")  # type: ignore[union-attr, operator]
    save_checkpoint(network, tmp_path / "net.safetensors")
    page = upload(opened(OWN), {"net.safetensors": (tmp_path / "net.safetensors").read_bytes()})
    assert "yes</td><td>layer &#x27;hidden2.weight&#x27; holds NaN</td>" in table(page)
    assert any("“NaN or Inf weights” to “exclude”" in str(warning.value) for warning in page.warning)


def test_a_file_is_judged_once_and_again_for_something_else(desk: Desk, judged: list[Asked]) -> None:
    page = upload(opened(OWN), {"a.pt": b"x", "b.pt": b"y"})
    page.run()
    assert [[file.title for file in asked.files] for asked in judged] == [["a.pt", "b.pt"]]
    assert (judged[0].dataset, judged[0].like, judged[0].keep) == ("moons", "mlp", True)
    page = upload(opened(OWN.replace("moons-mlp-label-noise", "mnist1d-cnn-shared-trunk")), {"a.pt": b"x"})
    assert judged[-1].dataset == "mnist1d"
    assert not judged[0].files[0].path.exists()


def test_a_session_works_on_so_many_files(desk: Desk, judged: list[Asked]) -> None:
    page = upload(opened(OWN), {f"{number}.pt": b"x" for number in range(own_weights.MOST_FILES + 3)})
    assert [len(asked.files) for asked in judged] == [own_weights.MOST_FILES]
    assert any("More than 50 files" in str(warning.value) for warning in page.warning)


@pytest.mark.parametrize("error", [SettingsError("no such thing"), OSError(28, "No space left on device")])
def test_a_problem_with_all_files_is_told_of_each(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def take_in(asked: Asked) -> list[Verdict]:
        raise error

    monkeypatch.setattr(own_weights, "take_in", take_in)
    page = upload(opened(OWN), {"a.pt": b"x", "b.pt": b"x"})
    assert table(page).count("no such thing" if isinstance(error, SettingsError) else "No space left on device") == 2


def test_a_busy_server_is_asked_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    times: list[int] = []

    def take_in(asked: Asked) -> list[Verdict]:
        times.append(1)
        raise RunError("the server is busy")

    monkeypatch.setattr(own_weights, "take_in", take_in)
    page = upload(opened(OWN), {"a.pt": b"x"})
    assert [str(error.value) for error in page.error] == ["The server is busy\\."]
    page.run()
    assert len(times) == 2


def test_without_a_folder_only_the_help_speaks_of_one(desk: Desk) -> None:
    page = opened(OWN)
    assert not page.button
    assert "SOFTMERGE_FOLDER or --folder" in page.file_uploader(key="upload-weights").help


def test_files_of_the_servers_folder_need_no_upload(
    tmp_path: Path, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "offered"
    (folder / "nets").mkdir(parents=True)
    for name, seed in (("nets/a.safetensors", 1), ("b.safetensors", 2)):
        (folder / name).write_bytes(content(tmp_path, seed=seed))
    torch.save({"odd": torch.zeros(2)}, folder / "odd.pt")
    (folder / "notes.txt").write_text("not offered")
    monkeypatch.setenv("SOFTMERGE_FOLDER", str(folder))
    page = opened(OWN)
    files = page.multiselect(key="own-folder")
    assert files.options == ["b.safetensors", "nets/a.safetensors", "odd.pt"]
    files.set_value(files.options)
    page.run()
    page.button(key="own-folder-add").click()
    page.run()
    assert not page.exception
    assert sorted(model.title for model in library().values()) == ["b.safetensors", "nets/a.safetensors"]
    assert sorted(page.session_state["own-models"]) == ["a", "b"]
    assert "nets/a.safetensors</td><td>mlp for 2, 2 classes, float32</td><td>yes" in table(page)
    assert "odd.pt</td>" in table(page)


def test_the_section_of_the_models_page_says_what_family_came_of_files(tmp_path: Path, desk: Desk) -> None:
    files = {f"{name}.safetensors": content(tmp_path, seed=seed) for seed, name in enumerate("abc")}
    page = opened(BRING)
    page.selectbox(key="bring-dataset").select("moons")
    page.run()
    upload(page, files)
    (family,) = own_families().values()
    assert (family.network, family.dataset, len(family.models)) == ("mlp", "moons", 3)
    assert any("3 networks for" in str(text.value) for text in page.markdown)
    assert [str(told.value) for told in page.success] == ["All 3 files fit and are in your library."]
    assert not page.button(key=f"merge-family:{family.name}").disabled


def test_one_network_alone_cannot_be_merged(tmp_path: Path, desk: Desk) -> None:
    page = opened(BRING)
    page.selectbox(key="bring-dataset").select("moons")
    page.run()
    upload(page, {"a.safetensors": content(tmp_path)})
    (family,) = own_families().values()
    assert page.button(key=f"merge-family:{family.name}").disabled
    assert any("A merge needs two or more" in str(text.value) for text in page.markdown)


def test_networks_that_could_not_be_registered_are_told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_weights, "problems", lambda: ("mine.py, line 3: SyntaxError: invalid syntax",))
    page = opened(OWN)
    assert any("mine\\.py, line 3" in str(warning.value) for warning in page.warning)
