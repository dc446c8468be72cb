"""Settings name what is wrong, and every field can be shown in a form."""

import pytest
from pydantic import BaseModel

from softmerge_core.errors import SettingsError
from softmerge_core.settings import AttackSettings, SoftMergeSettings, TrainSettings, parse


@pytest.mark.parametrize("model", [SoftMergeSettings, TrainSettings, AttackSettings])
def test_every_field_has_a_label_and_a_one_sentence_help(model: type[BaseModel]) -> None:
    for name, field in model.model_fields.items():
        assert field.title, name
        assert field.description, name
        assert field.description.endswith("."), name
        assert isinstance(field.json_schema_extra["more"], bool), name


@pytest.mark.parametrize("model", [SoftMergeSettings, TrainSettings, AttackSettings])
def test_json_goes_out_and_in(model: type[BaseModel]) -> None:
    assert parse(model, model().model_dump_json(), "settings") == model()


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"steps": 0}, "steps"),
        ({"penalty": -1}, "penalty"),
        ({"unheard": 1}, "unheard"),
        ({"stretch": (0.1, 1.1)}, "stretch"),
        ({"parts": {"conv1": "drop"}}, "conv1"),
        ({"parts": {"conv1": "keep:x"}}, "conv1"),
        ("{not json", "the whole"),
    ],
)
def test_what_does_not_fit_is_named(values: object, named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        parse(SoftMergeSettings, values, "settings")
