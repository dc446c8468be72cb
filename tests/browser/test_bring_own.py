"""Four ResNet-18 of a reader's own: dropped in, recognised, merged, and taken home to plain PyTorch."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import pytest
import torch
from playwright.sync_api import Page, expect

from softmerge_core.data import load_dataset
from softmerge_core.experiments.words import percent
from softmerge_core.networks import build_network
from softmerge_core.settings import TrainSettings
from softmerge_core.training import train
from softmerge_core.zoo import own_families
from tests.browser.conftest import Site
from tests.browser.server import PATIENCE, wait_for
from tests.browser.watching import press_start, query

KIND = ("torchvision/resnet18-cifar", (1, 8, 8), 10)
# Every step and every look of four ResNet-18 takes seconds, and what they learn is not asked for here.
FEW = {"steps": "2", "train_samples": "64", "validation_samples": "50"}
ALONE = """
import json, sys
import numpy as np, torch, torchvision
network = torchvision.models.resnet18(num_classes=10)
network.conv1 = torch.nn.Conv2d(1, 64, 3, padding=1, bias=False)
network.maxpool = torch.nn.Identity()
network.load_state_dict(torch.load(sys.argv[1], weights_only=True))
inputs, labels = (torch.from_numpy(np.load(path)) for path in sys.argv[2:4])
with torch.no_grad():
    right = network.eval()(inputs).argmax(1) == labels
assert not any(name.startswith("softmerge") for name in sys.modules)
print(float(right.double().mean()))
"""


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Real files as people have them: a trunk trained on digits, fine-tuned four ways, saved in four styles."""
    folder, data = tmp_path_factory.mktemp("checkpoints"), load_dataset("digits")
    trunk = build_network(*KIND, seed=0)
    _tune(trunk, TrainSettings(epochs=1, batch_size=50, learning_rate=0.001, share=0.5))
    paths = []
    for number in range(4):
        network = build_network(*KIND, seed=0)
        network.load_state_dict(trunk.state_dict())
        _tune(network, TrainSettings(epochs=1, batch_size=50, learning_rate=0.001, share=0.1, seed=number + 1))
        paths.append(folder / f"resnet18-{number + 1}.pt")
        torch.save(_style(network.state_dict(), number), paths[-1])
    assert data.input_shape == KIND[1]
    return paths


def _tune(network: torch.nn.Module, settings: TrainSettings) -> None:
    data = load_dataset("digits")
    train(network, data.train_inputs, data.train_labels, settings, classes=data.classes)


def _style(state: dict[str, torch.Tensor], number: int) -> dict[str, object]:
    wrapped = {f"module.{name}": tensor for name, tensor in state.items()}
    return [dict(state), wrapped, {"state_dict": dict(state), "epoch": 3}, {"model": dict(state)}][number]


@pytest.mark.timeout(600)
def test_four_resnets_are_dropped_in_merged_and_load_where_torchvision_alone_is(
    site: Site, open_page: Callable[..., Page], checkpoints: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = open_page(f"{site.address}/?{urlencode(FEW)}")
    page.get_by_role("link", name="Models").click()
    page.get_by_role("radio", name="Bring in").or_(
        page.get_by_role("button", name="Bring in", exact=True)
    ).first.click()
    expect(page.get_by_role("heading", name="Networks")).to_be_visible()
    page.get_by_test_id("stFileUploader").first.locator("input[type=file]").set_input_files(checkpoints)
    button = page.get_by_role("button", name="Merge them")
    expect(button).to_be_enabled(timeout=2000 * PATIENCE)  # four large files are read before
    expect(page.get_by_text("4 networks for")).to_be_visible()
    button.click()
    expect(page.get_by_role("button", name="Start merging")).to_be_enabled()
    expect(page.locator("[class*=st-key-card-]")).to_have_count(4)
    assert query(page).items() >= FEW.items()
    run = press_start(page, "Start merging")
    wait_for(lambda: site.store.status(run).status in ("finished", "failed"), "the merge to end", 300)
    view = site.store.read(run)
    assert view.result is not None, "the merge failed"
    found = view.result["accuracy"]
    for title, key in (("Soft merge", "soft"), ("Plain average", "average"), ("Ensemble", "ensemble")):
        row = page.get_by_role("row").filter(has_text=title).first
        expect(row).to_contain_text(percent(found[key]))
    with page.expect_download() as download:
        page.get_by_role("button", name="As .pt").click()
    download.value.save_as(tmp_path / "merged.pt")
    assert _accuracy_alone(tmp_path) == pytest.approx(found["soft"], abs=1e-6)
    monkeypatch.setenv("SOFTMERGE_HOME", str(site.store.folder(run).parents[1]))
    assert [family.network for family in own_families().values() if family.input_shape == KIND[1]] == [KIND[0]]


def _accuracy_alone(folder: Path) -> float:
    """Load the file in a fresh process that sees torch and torchvision, and none of this project."""
    data = load_dataset("digits")
    np.save(folder / "inputs.npy", data.test_inputs.numpy())
    np.save(folder / "labels.npy", data.test_labels.numpy())
    command = [sys.executable, "-I", "-c", ALONE, "merged.pt", "inputs.npy", "labels.npy"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return float(json.loads(done.stdout))
