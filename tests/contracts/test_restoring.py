"""Every run page can be put back to the settings of a run: what its widgets then describe is that run again."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from streamlit.testing.v1 import AppTest

from pages.shared.choose.form import _choices, limits
from pages.shared.runs import services
from pages.shared.runs.page import RunPage
from pages.site import PAGES
from softmerge_core.data.partitions import ShardSettings
from softmerge_core.experiments import Spec, experiment
from softmerge_core.experiments.compare.spec import CompareSpec
from softmerge_core.experiments.connectivity.spec import ConnectivitySpec
from softmerge_core.experiments.describe import difference
from softmerge_core.experiments.federated.spec import FederatedSpec
from softmerge_core.experiments.merge.spec import MergeSpec
from softmerge_core.experiments.robustness.spec import RobustnessSpec
from softmerge_core.experiments.scope.spec import ScopeSpec, SourceTraining
from softmerge_core.federated.settings import FederationSettings
from softmerge_core.home import home
from softmerge_core.methods import available_methods
from softmerge_core.runs import RunStore
from softmerge_core.settings import AttackSettings, DataSpec, SoftMergeSettings, SourceSpec, number_kind
from softmerge_core.zoo import LibraryModel, families
from tests.pages.conftest import Desk

RUN_PAGES = {page.kind: page for page, _, _ in PAGES.values() if isinstance(page, RunPage)}
FAMILY = "spirals-mlp-shared-trunk"
LIMITS = {"train_samples": 70, "validation_samples": 50}


def other(model: type[BaseModel], *skip: str) -> dict[str, Any]:
    """For each plain field of a settings model a value that is allowed and not the default."""
    found: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        choices, kind = _choices(field.annotation), number_kind(field.annotation)
        if name in skip or (choices and len(choices) == 1):
            continue
        if choices:
            found[name] = next(choice for choice in reversed(choices) if choice != field.default)
        elif field.annotation is bool:
            found[name] = not field.default
        elif kind is not None:
            low, high = limits(field)
            wanted = kind((field.default or 1) * 2)
            found[name] = wanted if high is None or wanted <= high else kind(((field.default or high) + (low or 0)) / 2)
    return found


def own_model(name: str = "mine") -> str:
    """A model in the reader's library, of the family's kind; only its manifest, for pages read no more."""
    info = families()[FAMILY]
    values = {
        **info.models[0].model_dump(),
        "name": name,
        "origin": "uploaded",
        **{field: getattr(info, field) for field in ("dataset", "network", "input_shape", "classes", "layers")},
    }
    folder = home() / "models" / name
    folder.mkdir(parents=True)
    (folder / "info.json").write_text(LibraryModel.model_validate(values).model_dump_json())
    return f"library/{name}"


def some_sources(*, attacked: bool = True, first: int = 1) -> tuple[SourceSpec, ...]:
    poison = AttackSettings(kind="noise", strength=2.5, seed=3) if attacked else None
    models = families()[FAMILY].models[first : first + 2]
    sources = [SourceSpec(model=f"{FAMILY}/{model.name}") for model in models]
    return sources[0], sources[1].model_copy(update={"attack": poison}), SourceSpec(model=own_model(), attack=poison)


def merged() -> Spec:
    layers = [layer.name for layer in families()[FAMILY].layers]
    settings = {**other(SoftMergeSettings), "stretch": (-0.2, 1.5), "device": "cuda"}
    settings["parts"] = {layers[0]: "average", layers[1]: "keep:1"}
    data = DataSpec(dataset=families()[FAMILY].dataset, **LIMITS)
    return MergeSpec.model_validate({"sources": some_sources(), "data": data, "align": "weights", "settings": settings})


def compared() -> Spec:
    data = DataSpec(dataset=families()[FAMILY].dataset, **LIMITS)
    methods = [
        {"method": name, "settings": other(method.settings)}
        for name, method in available_methods().items()
        if name in ("dare", "soft", "median")
    ]
    values = {**other(CompareSpec), "sources": some_sources(), "data": data, "methods": methods, "base": "library/mine"}
    values |= {"labels": (20, 50), "target": values["sources"][1].model}
    return CompareSpec.model_validate(values)


def compared_across() -> Spec:
    """Sources of a family, of another architecture and of the library, into the architecture of the second."""
    models = ("spirals-mlp-shared-trunk/source-2", "spirals-mlp-wide/source-1", own_model())
    methods = [{"method": "transport"}, {"method": "distillation", "settings": {"steps": 20}}]
    values = {"sources": [{"model": name} for name in models], "data": {"dataset": "spirals"}, "methods": methods}
    return CompareSpec.model_validate({**values, "target": models[1], "seeds": 2, "labels": (20,)})


def attacked() -> Spec:
    data = DataSpec(dataset=families()[FAMILY].dataset, **LIMITS)
    values = {**other(RobustnessSpec), "sources": some_sources(attacked=False), "data": data}
    return RobustnessSpec.model_validate({**values, "attack": "noise", "strength": 0.5, "methods": ("krum", "median")})


def connected() -> Spec:
    data = DataSpec(dataset=families()[FAMILY].dataset, **LIMITS)
    values = {**other(ConnectivitySpec), "sources": some_sources(attacked=False)[1:], "data": data}
    return ConnectivitySpec.model_validate({**values, "overlays": ("scope", "plain")})


def scoped() -> Spec:
    sources = [SourceTraining.model_validate(other(SourceTraining) | {"seed": seed}) for seed in (4, 5, 6)]
    values = {**other(ScopeSpec), "sources": sources, "data": {"dataset": "moons"}, "network": "mlp"}
    return ScopeSpec.model_validate({**values, "target": "dynamic", "target_source": 0})


def federated() -> Spec:
    settings = {**other(FederationSettings), "attack": "label_flip", "strength": 7, "malicious": 3}
    runs = [
        {"algorithm": name, "aggregation": server, "scope": True, "settings": own}
        for name, own in (("fedprox", {"mu": 0.5}), ("scaffold", {"control": 0.25}))
        for server in ("krum", "soft")
    ]
    shards = {**other(ShardSettings), "kind": "classes"}
    data = {"dataset": "moons", "train_samples": 150}
    return FederatedSpec.model_validate(
        {"data": data, "network": "mlp", "settings": settings, "shards": shards, "runs": runs}
    )


CHANGED: dict[str, Callable[[], Spec]] = {
    "merge": merged,
    "compare": compared,
    "robustness": attacked,
    "connectivity": connected,
    "scope": scoped,
    "federated": federated,
}


def changed(kind: str) -> Spec:
    assert kind in CHANGED, f"page of {kind!r}: add to CHANGED a spec of this kind whose fields have no default value"
    return CHANGED[kind]()


@pytest.fixture(autouse=True)
def desk(home_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No workers are needed to describe a run."""
    monkeypatch.setattr(services, "_runner", lambda folder, scheduler: Desk(RunStore(home_folder / "runs")))


def opened(kind: str, state: dict[str, Any], address: dict[str, Any] | None = None) -> AppTest:
    """The left side of a page in a fresh session with this state, opened at this address."""
    name = next(name for name, (page, _, _) in PAGES.items() if page is RUN_PAGES[kind])
    script = f"from pages.{name}.page import page\nimport streamlit as st\nst.session_state['setup'] = page.setup()\n"
    page = AppTest.from_string(script, default_timeout=60)
    for key, value in state.items():
        page.session_state[key] = value
    for key, value in (address or {}).items():
        page.query_params[key] = value
    page.run()
    assert not page.exception
    return page


def described(page: AppTest) -> Spec | None:
    """The spec that a page describes."""
    spec: Spec | None = page.session_state["setup"].described
    return spec


def equal(first: Spec | None, second: Spec) -> bool:
    return first is not None and first.settled().model_copy(update={"name": second.name}) == second.settled()


@pytest.mark.parametrize("kind", RUN_PAGES)
@pytest.mark.parametrize("which", ["example", "changed"])
def test_a_page_with_the_state_of_a_spec_describes_it(kind: str, which: str) -> None:
    spec = experiment(kind).example() if which == "example" else changed(kind)
    found = described(opened(kind, RUN_PAGES[kind].state_of(spec)))
    assert equal(found, spec), f"{kind}: {difference(spec, found) if found else 'no spec'}"


@pytest.mark.parametrize("kind", RUN_PAGES)
def test_the_address_of_a_page_is_a_link_to_the_whole_set_up(kind: str) -> None:
    spec = changed(kind)
    address = dict(opened(kind, RUN_PAGES[kind].state_of(spec)).query_params)
    found = described(opened(kind, {}, address))
    assert equal(found, spec), f"{kind}: {difference(spec, found) if found else 'no spec'}"


def test_sources_of_several_architectures_are_described_by_state_and_by_address() -> None:
    spec = compared_across()
    page = opened("compare", RUN_PAGES["compare"].state_of(spec))
    for found in (described(page), described(opened("compare", {}, dict(page.query_params)))):
        assert equal(found, spec), difference(spec, found) if found else "no spec"


@pytest.mark.parametrize("kind", RUN_PAGES)
def test_the_changed_spec_leaves_no_field_at_its_default(kind: str) -> None:
    spec, usual = changed(kind), experiment(kind).spec(kind=kind)
    settings = [(spec, usual), (getattr(spec, "settings", None), getattr(usual, "settings", None))]
    irrelevant = {"kind", "name", "target_source"}  # the target chosen uses no single source
    irrelevant |= {"changes", "branch", "start"}  # what came otherwise: no widget on the left sets it; the page says so
    same = [
        name
        for mine, theirs in settings
        if isinstance(mine, BaseModel)
        for name in type(mine).model_fields
        if name not in irrelevant and getattr(mine, name) == getattr(theirs, name)
    ]
    assert not same, f"{kind}: not changed: {', '.join(same)}"
