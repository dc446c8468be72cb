"""Files that are made when they are asked for, as a browser gets them, and what it is told where there are none."""

import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.conftest import Site
from tests.browser.server import READY

RUN = "taken-along"
MOMENTS = (0, 40, 80, 120, 200)  # ms after changes of a setting
# Two changes of a setting: the first run of the script is cut short by the second.
PRESS_WHILE_DRAWN = """async ([label, moment]) => {
  const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  const roots = [document, ...[...document.querySelectorAll("*")].flatMap((node) => node.shadowRoot ?? [])];
  const button = roots.flatMap((root) => [...root.querySelectorAll("button")])
    .find((each) => each.innerText.includes(label));
  for (let change = 0; change < 2; change++) {
    document.querySelector("[data-testid=stNumberInputStepUp]").click();
    await pause(80);
  }
  await pause(moment);
  button.click();
}"""


@pytest.fixture
def run(site: Site) -> Iterator[Path]:
    """A merge among the reader's own runs, as long as the test takes."""
    folder = site.store.root / RUN
    shutil.copytree(site.store.folder("example:first-look"), folder)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.timeout(600)
def test_everything_comes_as_one_archive_whose_script_runs(
    site: Site, run: Path, open_page: Callable[..., Page], tmp_path: Path
) -> None:
    page = open_page(f"{site.address}/merge?run={RUN}")
    button = page.get_by_role("button", name="Everything (.zip)")
    with page.expect_download() as coming:
        button.click()
    assert coming.value.suggested_filename == f"merge-network-skills-mlp-experts-{RUN}.zip"
    with zipfile.ZipFile(coming.value.path()) as archive:
        archive.extractall(tmp_path)
    (folder,) = tmp_path.iterdir()
    done = subprocess.run(
        [sys.executable, "-I", "load_merged.py"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.stdout.startswith("random sample 1: "), done.stderr
    assert "class " not in done.stdout  # it goes by its name
    assert_bundle(page)
    assert_whenever_it_is_pressed(page)
    page.wait_for_timeout(500)  # the last change of a setting is on its way
    page.locator(READY).wait_for()
    (run / "weights" / "merged.safetensors").unlink()  # while the page still offers them
    button.click()
    expect(page.locator(".sm-file-said").filter(has_text="kept no weights called 'merged'")).to_be_visible()


def assert_whenever_it_is_pressed(page: Page) -> None:
    """A press gives its file at whatever moment of the page's being drawn again."""
    for moment in MOMENTS:
        with page.expect_download() as coming:
            page.evaluate(PRESS_WHILE_DRAWN, ["Merged weights", moment])
        assert coming.value.suggested_filename.endswith(".safetensors")


def assert_bundle(page: Page) -> None:
    """The bundle has a picture of every chart, as this browser draws it, in both forms."""
    page.locator(READY).wait_for()
    with page.expect_download() as coming:
        page.get_by_role("button", name="Bundle").click()
    with zipfile.ZipFile(coming.value.path()) as archive:
        names = set(archive.namelist())
        charts = ("accuracy", "gates", "losses", "shares", "test")
        assert {f"figures/{chart}.{ending}" for chart in charts for ending in ("svg", "png")} <= names
        assert {"run/spec.json", "run/weights/merged.safetensors", "run.py", "README.txt"} <= names
        drawn = ElementTree.fromstring(archive.read("figures/gates.svg"))
        assert drawn.tag == "{http://www.w3.org/2000/svg}svg"
        with Image.open(archive.open("figures/gates.png")) as picture:
            assert picture.size[0] == 2125  # dots: 180 mm at 300 to the inch
