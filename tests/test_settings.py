"""Settings name what is wrong, and every field can be shown in a form."""

import pytest
from pydantic import BaseModel

from softmerge_core.errors import SettingsError
from softmerge_core.settings import (
    AttackSettings,
    DataSpec,
    Frozen,
    SoftMergeSettings,
    SourceSpec,
    TrainSettings,
    parse,
)


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
        ({"penalty": -1}, "Penalty"),
        ({"unheard": 1}, "unheard"),
        ({"stretch": (0.1, 1.1)}, "stretch"),
        ({"parts": {"conv1": "drop"}}, "conv1"),
        ({"parts": {"conv1": "keep:x"}}, "conv1"),
        ("{not json", "valid JSON"),
    ],
)
def test_what_does_not_fit_is_named(values: object, named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        parse(SoftMergeSettings, values, "settings")


@pytest.mark.parametrize(
    ("model", "values", "said"),
    [
        (SoftMergeSettings, {"penalty": 11}, "Penalty: expected at most 10, got 11"),
        (SoftMergeSettings, {"penalty": 11.0}, "Penalty: expected at most 10, got 11"),
        (SoftMergeSettings, {"steps": 0}, "Steps of each stage (steps): expected at least 1, got 0"),
        (SoftMergeSettings, {"steps": None}, "Steps of each stage (steps): expected a whole number, got none"),
        (SoftMergeSettings, {"learning_rate": "x"}, "Learning rate: expected a number, got 'x'"),
        (SoftMergeSettings, {"stretch": [0.0]}, "Stretch (stretch.1): expected a value, got none"),
        (SoftMergeSettings, {"unheard": 1}, "unheard: there is no such setting"),
        (TrainSettings, {"classes": ["a"]}, "Classes (classes.0): expected a whole number, got 'a'"),
        (SourceSpec, {"model": "a", "attack": {"seed": -1}}, "Seed (attack.seed): expected at least 0, got -1"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told_by_its_title_and_in_plain_words(
    model: type[Frozen], values: object, said: str
) -> None:
    with pytest.raises(SettingsError) as told:
        parse(model, values, "settings")
    assert str(told.value) == f"settings: {said}"


@pytest.mark.parametrize("model", [SoftMergeSettings, TrainSettings, AttackSettings, DataSpec, SourceSpec])
def test_whatever_a_field_is_given_no_word_of_pydantic_is_passed_on(model: type[Frozen]) -> None:
    for name in model.model_fields:
        for value in ("x", -1, 1e400, None, [], {}, True, b"\xff", [[1]], "\ud800", 10**40):
            told = refusal(model, {name: value})
            assert "Input should" not in told
            assert "Value error" not in told
            assert "another value" not in told
            assert "{" not in told.replace("{}", "")


def refusal(model: type[Frozen], values: object) -> str:
    """What is said against ``values``; "" where they fit."""
    try:
        parse(model, values, "settings")
    except SettingsError as error:
        return str(error)
    return ""
