"""Networks of another kind than the family on the page are offered, with a button that turns to them."""

from pathlib import Path

from pages.shared.choose import own
from pages.shared.show.text import plain
from softmerge_core.checkpoints.files import save_checkpoint
from softmerge_core.networks import build_network
from softmerge_core.zoo import add_file_to_library, own_families
from tests.pages.conftest import APP, Desk, opened, press


def test_uploads_of_another_kind_are_offered_with_a_button_that_chooses_them(tmp_path: Path, desk: Desk) -> None:
    save_checkpoint(build_network("cnn1d", (1, 40), 10, 0), tmp_path / "net.safetensors")
    name = add_file_to_library(tmp_path / "net.safetensors", "net", "", "mnist1d").name
    (family,) = own_families().values()
    page = opened(APP, **{own.OTHERS: {family.name}})
    assert any(plain(family.title, 120) in str(told.value) for told in page.info)
    press(page, "Choose them")
    assert page.selectbox(key="family").value == family.name
    assert page.toggle(key=f"use:library/{name}").value
    assert not any(plain(family.title, 120) in str(told.value) for told in page.info)
