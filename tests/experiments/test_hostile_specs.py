"""Whatever a spec says, it is refused in a few words before any work, or it can be written and read again."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softmerge_core.errors import SettingsError, SoftMergeError
from softmerge_core.experiments import experiment, experiments, parse_spec
from softmerge_core.experiments.merge.spec import MergeSpec
from softmerge_core.runs import RunStore

KINDS = tuple(kind for kind, found in experiments().items() if found.work.startswith("softmerge_core."))
SHORT = 2000  # letters of a message

strange = st.sampled_from(
    ["\ud800", "²", "keep:²", "keep:" + "9" * 5000, "x" * 300, "x" * 10**6, "a/" * 2000, "\0", "../..", "x.npz", "tpu"]
)
numbers = st.sampled_from([float("inf"), float("-inf"), float("nan"), 1e300, -1, 0, 2**63, 10**4000, True])
value = st.recursive(
    st.none() | strange | numbers | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(strange | st.text(max_size=8), inner, max_size=3),
    max_leaves=4,
)


def places(values: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of everything inside JSON values."""
    items = values.items() if isinstance(values, dict) else enumerate(values) if isinstance(values, list) else ()
    return [path, *(place for key, inner in items for place in places(inner, (*path, key)))]


def changed(values: Any, path: tuple[Any, ...], new: Any) -> Any:
    """A copy with ``new`` at that path."""
    made = copy.deepcopy(values)
    inner = made
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = new
    return made


def said(values: dict[str, Any], store: RunStore) -> str:
    """The words in which a spec is refused; "" if it is fit, and then it is read as it was written."""
    try:
        spec = parse_spec(values)
        experiment(spec.kind).check(spec)
        run_id = store.create(spec)
    except SoftMergeError as error:
        return str(error)
    assert store.read(run_id).spec == spec
    return ""


@settings(max_examples=settings().max_examples * 2)
@given(kind=st.sampled_from(KINDS), data=st.data())
def test_a_spec_with_anything_anywhere_is_refused_in_words_or_comes_back(
    home_folder: Path, kind: str, data: st.DataObject
) -> None:
    values = experiment(kind).small().model_dump(mode="json")
    path = data.draw(st.sampled_from([*places(values)[1:], ("unheard",)]))
    told = said(changed(values, path, data.draw(value)), RunStore())
    assert len(told) < SHORT
    assert str(home_folder) not in told


def merge(**changes: Any) -> dict[str, Any]:
    return {**experiment("merge").small().model_dump(mode="json"), **changes}


@pytest.mark.parametrize(
    "values",
    [
        merge(settings={"stretch": [-1e999, 1e999]}),
        merge(settings={"penalty": float("nan")}),
        merge(settings={"parts": {"fc": "keep:²"}}),
        merge(settings={"parts": {"fc": "keep:" + "1" * 5000}}),
        merge(settings={"device": "tpu"}),
        merge(name="\ud800"),
        merge(name="x" * 10**6),
        merge(sources=[{"model": "x" * 300 + ".safetensors"}, {"model": "y"}]),
        merge(data={"dataset": "x" * 300 + ".npz"}),
        merge(**{f"unheard{number}": "x" * 100 for number in range(10_000)}),
        merge(**{"x" * 10**6: 1}),
    ],
    ids=range(11),
)
def test_values_that_were_once_let_through_are_refused(values: dict[str, Any], tmp_path: Path) -> None:
    told = said(values, RunStore(tmp_path))
    assert told.startswith("spec: ")
    assert len(told) < SHORT
    assert not list(tmp_path.iterdir())


def test_what_json_cannot_hold_is_not_written(tmp_path: Path) -> None:
    for choice in ({"density": float("inf")}, {"density": "\ud800"}):
        spec = experiment("compare").small().model_copy(update={"name": str(choice)})
        spec = type(spec).model_validate({**spec.model_dump(), "methods": [{"method": "ties", "settings": choice}]})
        with pytest.raises(SettingsError, match="that JSON can hold"):
            RunStore(tmp_path / "runs").create(spec)
    assert not (tmp_path / "runs").exists()


def test_devices_and_places_of_ordinary_specs_are_taken() -> None:
    for device in ("cpu", "cuda", "cuda:1", "mps"):
        values = json.loads(json.dumps(merge(settings={"device": device})))
        spec = parse_spec(values)
        assert isinstance(spec, MergeSpec)
        assert spec.settings.device == device
