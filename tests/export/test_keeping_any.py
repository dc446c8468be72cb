"""The networks that runs of every kind make can be kept, and a merge can build on each of them."""

from pathlib import Path
from typing import Any

import pytest

from softmerge_core.errors import NotFoundError, RunError
from softmerge_core.experiments import Spec, experiments
from softmerge_core.experiments.compare.spec import MethodChoice
from softmerge_core.experiments.made import BEST, MADE, ROOM, Keeper, Made, recorded_made
from softmerge_core.experiments.merge.spec import MergeSpec
from softmerge_core.export.keeping import keep_network, networks_of
from softmerge_core.runs import RunStore
from softmerge_core.runs.writer import conduct
from softmerge_core.settings import DataSpec, SoftMergeSettings, SourceSpec

EXPECTED = {  # kind -> networks of its smallest run
    "compare": {"average", "median"}, "robustness": {"average", "median"}, "scope": {"plain-merged", "aligned-merged"},
    "connectivity": {"plain", "weights_repair", "soft"}, "federated": {"scaffold-scope"},
}  # fmt: skip
MORE: dict[str, dict[str, Any]] = {
    "compare": {
        "methods": tuple(MethodChoice(method=name) for name in ("average", "median", "ensemble")),
        "labels": (),
    },
    "robustness": {"attack": "noise"},
    "connectivity": {"overlays": ("plain", "weights_repair"), "points": 3},
}


def ended(spec: Spec) -> Path:
    store = RunStore()
    folder = store.folder(store.create(spec))
    conduct(folder)
    return folder


@pytest.mark.parametrize("kind", EXPECTED)
def test_a_network_of_any_run_is_kept_and_can_be_merged(kind: str, home_folder: Path) -> None:
    spec = experiments()[kind].small().model_copy(update={"name": "Before: mine", **MORE.get(kind, {})})
    folder = ended(spec)
    found = networks_of(folder)
    assert EXPECTED[kind] <= found.keys()
    assert "ensemble" not in found
    file = sorted(EXPECTED[kind])[0]
    model = keep_network(folder.name, file)
    assert model.how.endswith(f"(run {folder.name}).")
    assert "Before: mine" in model.title
    assert set(model.accuracy) >= {"test", "validation"}
    assert keep_network(folder.name, file, "again") == model, "the same network is kept once"
    other = keep_network(folder.name, sorted(found)[-1]) if len(found) > 1 else model
    pair = tuple(SourceSpec(model=f"library/{each.name}") for each in (model, other))
    settings = SoftMergeSettings(granularity="model", steps=2, batch_size=16)
    merged = ended(MergeSpec(sources=pair, data=DataSpec(dataset=model.dataset), settings=settings))
    assert RunStore().read(merged.name).status == "finished"
    with pytest.raises(NotFoundError, match=r"has no network 'x': expected one of"):
        keep_network(folder.name, "x")


def test_what_has_no_network_says_so(home_folder: Path) -> None:
    with pytest.raises(RunError, match="kept no network"):
        keep_network("example:first-attack")


class Kept:
    """A context that remembers what it was given to keep."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def save_weights(self, name: str, state: Any, metadata: Any = None) -> None:
        assert recorded_made(metadata) == MADE_OF
        self.names.append(name)


MADE_OF = Made(network="mlp", input_shape=(2,), classes=2, title="t", how="h")


def test_of_large_networks_only_the_best_by_validation_is_kept() -> None:
    import torch
    from safetensors.torch import save

    weights = save({"w": torch.zeros(ROOM // 8 + 100)})  # two of them do not fit
    for count, expected in ((1, ["a", "b", "c"]), (2, [BEST, BEST])):
        context = Kept()
        keeper = Keeper(context, count, lambda values: float(values["validation"]))  # type: ignore[arg-type]
        for name, score in (("a", 0.5), ("b", 0.4), ("c", 0.6)):
            values = {"validation": score, "series": name, "kept": {"made": MADE_OF.model_dump(), "weights": weights}}
            keeper.take(values)
            assert values == {"series": name, "validation": score}, "no plain value is left of it"
        assert context.names == expected
    assert recorded_made({MADE: "{}"}) is None
