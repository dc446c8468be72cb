"""Every member of a registry is to be found on the pages where a reader would look for it."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages.shared.runs import services
from softmerge_core.attacks import attacks
from softmerge_core.data import datasets
from softmerge_core.federated.algorithms import algorithms
from softmerge_core.methods import available_methods
from softmerge_core.networks import fits, network_names
from softmerge_core.runs import RunStore
from tests.pages.conftest import Desk, opened

METHODS = {name: method.title for name, method in available_methods().items()}
SIGHTED = {name: METHODS[name] for name, method in available_methods().items() if "base" not in method.needs}
ATTACKS = {name: attack.title for name, attack in attacks().items()}
DATASETS = {name: dataset.title for name, dataset in datasets().items()}
ALGORITHMS = {name: algorithm.title for name, algorithm in algorithms().items()}
# page (and its task) -> the members it offers: their kind, and their names with the words they go by
OFFERED: dict[str, dict[str, dict[str, str]]] = {
    "merge": {"attack": ATTACKS},
    "compare": {"method": METHODS},
    "robustness": {"attack": ATTACKS, "method": SIGHTED},
    "scope": {"data set": DATASETS},
    "federated": {"data set": DATASETS, "algorithm": ALGORITHMS, "attack": ATTACKS},
    "models, Train": {"data set": DATASETS},
    "models, Poison": {"attack": ATTACKS},
}


def options(page: AppTest) -> list[set[str]]:
    """The choices of every widget of a page, as the reader sees them."""
    widgets = [*page.selectbox, *page.multiselect, *page.button_group]
    return [set(map(str, widget.options)) for widget in widgets]


@pytest.mark.parametrize("name", OFFERED)
def test_a_page_offers_every_member(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "_runner", lambda folder, scheduler: Desk(RunStore(tmp_path / "runs")))
    folder, _, task = name.partition(", ")
    found = options(opened(f"from pages.{folder}.page import page\npage()\n", **({"do": task} if task else {})))
    for what, members in OFFERED[name].items():
        offered = max(found, key=lambda choices: len(choices & set(members.values())))
        missing = [member for member, title in members.items() if title not in offered]
        assert not missing, f"the page {name!r} does not offer the {what} {', '.join(missing)}"


@pytest.mark.parametrize("dataset", DATASETS)
def test_a_data_set_is_offered_the_networks_that_can_take_it(dataset: str) -> None:
    from pages.shared.choose.network import fitting

    found = datasets()[dataset]
    expected = [network for network in network_names() if fits(network, found.input_shape, found.classes)]
    assert fitting(dataset) == expected, f"data set {dataset!r}: pages offer {fitting(dataset)}, not {expected}"
