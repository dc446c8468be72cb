"""The card tells what the run wrote down, all of it right, and nothing else."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from markdown_it import MarkdownIt

from softmerge_core.checkpoints.files import load_checkpoint, state_hash
from softmerge_core.checkpoints.metadata import read_metadata, with_metadata
from softmerge_core.errors import RunError
from softmerge_core.experiments.merge.lineage import LINEAGE
from softmerge_core.experiments.merge.why import why_sentence
from softmerge_core.experiments.merge.words import gain_sentence
from softmerge_core.experiments.words import percent
from softmerge_core.export.card import NAMED, scaling_rows
from softmerge_core.export.formulas import formulas
from softmerge_core.export.merged import merged_run
from softmerge_core.export.scaling import Scaling
from softmerge_core.export.subject import about, open_subject
from softmerge_core.numbers import decimal_text, percent_text, usual_spaces
from softmerge_core.runs import files
from softmerge_core.settings import SoftMergeSettings, SourceSpec
from softmerge_core.statistics import Measured, bar
from softmerge_core.zoo import families, library
from tests.export.conftest import finished

NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


def card_of(what: str | Path) -> str:
    it = open_subject(str(what))
    return it.card(about(it.stem, [f"{it.stem}.pt"]))


def numbers(text: str) -> set[str]:
    return set(NUMBER.findall(text))


def known(folder: Path) -> set[str]:
    """Every number that the run's spec and result allow in a card, as it is written there."""
    run = merged_run(str(folder))
    result, settings, found = run.result, run.spec.settings, set()
    for table in (result["accuracy"], result["validation_accuracy"]):
        for share in [*(value for value in table.values() if isinstance(value, float)), *table["sources"]]:
            found |= numbers(percent(share))
    correct = result["correct"]
    shares = [(result["accuracy"][key], correct[key]) for key in correct if key != "sources"]
    for share, right in [*shares, *zip(result["accuracy"]["sources"], correct["sources"], strict=True)]:
        interval = bar(Measured((share,), result["samples"]["test"], (right,)))
        assert interval is not None
        found |= numbers(percent_text(interval.low, 1)) | numbers(percent_text(interval.high, 1))
    for each in formulas(result["gates"], settings):
        found |= numbers(each.text) | numbers(each.layer) | {str(each.parts)}
    for value in json.loads(settings.model_dump_json()).values():
        for one in value if isinstance(value, list) else [value]:
            found |= numbers(decimal_text(one) if isinstance(one, float) else str(one))
    found |= {str(count) for count in result["samples"].values()} | {str(len(run.spec.sources))}
    found |= {str(size) for size in (*run.lineage.input_shape, run.lineage.classes)}
    found |= numbers(usual_spaces(why_sentence(result)))
    found |= numbers(" ".join(run.lineage.versions.values())) | numbers(str(result["reason"]))
    return found | numbers(usual_spaces(gain_sentence(result, result["samples"]["test"]))) | {"95", "256", "2309.12259"}


def test_every_number_is_the_run_s_own(sources: tuple[SourceSpec, ...]) -> None:
    settings = SoftMergeSettings(
        granularity="channel", steps=6, evaluate_every=3, rescale=True, parts={"head": "average"}
    )
    folder = finished(*sources, name="Plain", settings=settings)
    text = re.sub(r"`[^`]*`", "", card_of(folder))  # hashes and names of files
    allowed = known(folder)
    assert len(numbers(text)) > 30
    assert numbers(text) - allowed == set()


def test_the_shares_of_every_layer_are_those_of_the_gates(ended: Path) -> None:
    result = merged_run(str(ended)).result
    text = card_of(ended)
    gates = result["gates"]
    assert gates["parts"]
    for layer, weights in zip(gates["parts"], gates["weight"], strict=True):
        terms = " + ".join(f"{weight:.3f} · {name}" for name, weight in zip("ABC", weights, strict=True) if weight)
        assert f"| `{layer}` | {terms} | 1 |" in text


def test_hashes_titles_and_what_was_done_to_sources_are_there(ended: Path) -> None:
    text, run = card_of(ended), merged_run(str(ended))
    for name in ("first", "second", "third"):
        assert f"library/{name} | `{library()[name].sha256}` (tensors)" in text
    assert text.count("poisoned on purpose") == 2  # in the table and among what the card does not show
    assert f"`{state_hash(load_checkpoint(run.weights))}`" in text
    assert f"`{run.lineage.data.sha256}`" in text
    assert "Versions when it was made" in text


def test_a_run_that_wrote_nothing_down_says_that_hashes_are_of_today(ended: Path) -> None:
    path = files.weights_path(ended, "merged")
    path.write_bytes(with_metadata(path.read_bytes(), {}))
    text = card_of(ended)
    assert "Versions of this export; those of the run were not written down" in text
    assert "as they are now; the run did not write them down" in text
    assert library()["first"].sha256 in text


@pytest.mark.parametrize("told", ["{}", "not JSON", '{"sources": ["' + "x" * 100_000 + '"]}'])
def test_metadata_that_a_stranger_changed_is_left_aside(ended: Path, told: str) -> None:
    path = files.weights_path(ended, "merged")
    path.write_bytes(with_metadata(path.read_bytes(), {**read_metadata(path), LINEAGE: told}))
    assert "the run did not write them down" in card_of(ended)


def test_names_are_shown_letter_by_letter_and_leave_no_mark(ended: Path) -> None:
    text = card_of(ended)
    matter, body = text.removeprefix("---\n").split("\n---\n", 1)
    front = yaml.safe_load(matter)
    assert set(front) == {"library_name", "model_name", "tags"}
    assert front["model_name"].startswith('"""; import os; os.system("x") ')
    assert "\n" not in front["model_name"]
    reader = MarkdownIt("gfm-like", {"html": True, "linkify": False})
    evil, plain = (reader.parse(each) for each in (body, body.replace(heading(body), "Plain")))
    assert kinds(evil) == kinds(plain)
    (title,) = [token.content for token in flat(evil) if token.type == "text" and "import os" in token.content][:1]
    assert "<script>" in title
    assert "\u202e" not in text


def heading(body: str) -> str:
    return next(line.removeprefix("# ") for line in body.splitlines() if line.startswith("# "))


def flat(tokens: list[Any]) -> list[Any]:
    return [each for token in tokens for each in (token, *flat(token.children or []))]


def kinds(tokens: list[Any]) -> list[str]:
    """What the text is made of, without the words: any mark that a name made would be one more."""
    return [token.type for token in flat(tokens) if token.type not in ("text", "text_special")]


def test_a_model_of_a_family_and_one_of_the_library_have_cards(sources: tuple[SourceSpec, ...]) -> None:
    info = families()["digits-resnet-poisoned-1"]
    spoiled = next(model for model in info.models if model.attack)
    text = card_of(f"{info.name}/{spoiled.name}")
    assert f"`{spoiled.sha256}`" in text
    assert percent(spoiled.accuracy["test"]).replace("\u00a0", " ") in text
    assert "spoiled on purpose" in text
    assert "Versions of this export" in text
    text = card_of("library/first")
    assert "# first" in text
    assert "spoiled" not in text


def test_a_card_says_what_classes_are_called_and_how_pixels_become_inputs() -> None:
    text = card_of("example:first-look")
    assert "| Classes, from 0 on | 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, T-shirt" in text
    assert "| Inputs | (raw - 53.3935) / 82.3117; raw: grey pixels from 0 (background) to 255 |" in text
    text = card_of("digits-resnet-specialists/source-1")
    assert "Classes, from 0 on" not in text  # each is called by its number
    assert "(raw - 4.88242) / 6.01324" in text


def test_many_classes_and_channels_are_cut_short_and_names_are_no_markdown() -> None:
    rows = dict(scaling_rows(Scaling([[[0.5]], [[0.25]]], [[[1.0]], [[2.0]]], ("**a**", "b|c"))))
    assert rows["Inputs"] == "(raw - (0.5, 0.25)) / (1, 2)"
    assert rows["Classes, from 0 on"] == r"\*\*a\*\*, b\|c"
    rows = dict(scaling_rows(Scaling([[0.0] * 5], [[1.0] * 5], tuple(map(str, range(NAMED + 7))))))
    assert rows["Inputs"] == "(raw - mean) / sd, with the numbers in the script"
    assert rows["Classes, from 0 on"].endswith(f"{NAMED - 1} and 7 more, which the script names")


@pytest.mark.parametrize(
    ("winner", "rescale", "expected"),
    [
        ("layer", False, "only gates were trained, never a weight."),
        ("channel", True, "gates were trained, and a factor for each channel."),
        ("best_source", True, "it is the best source, unchanged."),
        ("average", False, "it is the plain average of its sources."),
    ],
)
def test_what_was_learned_is_told_as_it_was(ended: Path, winner: str, rescale: bool, expected: str) -> None:
    for name, change in ((files.RESULT, {"winner": winner}), (files.SPEC, {"settings": {"rescale": rescale}})):
        values = json.loads((ended / name).read_text())
        (ended / name).write_text(json.dumps({**values, **change}))
    assert expected in card_of(ended)


def test_a_result_that_does_not_fit_its_spec_is_told(ended: Path) -> None:
    values = json.loads((ended / files.RESULT).read_text())
    values["source_names"] = values["source_names"][:2]
    for table in ("accuracy", "validation_accuracy", "correct", "validation_loss", "loss"):
        values[table]["sources"] = values[table]["sources"][:2]
    (ended / files.RESULT).write_text(json.dumps(values))
    with pytest.raises(RunError, match="its result is not of the 3 sources"):
        card_of(ended)
