"""What malicious sources did, in words."""

import pytest

from softmerge_core.events import BEST as BEST_SERIES
from softmerge_core.events import Blame, Event, Score
from softmerge_core.experiments.robustness.spec import RobustnessSpec
from softmerge_core.experiments.robustness.words import (
    about,
    blame_sentence,
    case_rows,
    chosen_scores,
    no_strengths,
    number_sentence,
    sentence,
    strength_sentence,
    survival_sentence,
)
from softmerge_core.settings import SourceSpec
from softmerge_core.statistics import pack


def spec_of(attack: str = "extreme") -> RobustnessSpec:
    sources = tuple(SourceSpec(model=f"moons-mlp-label-noise/source-{number}") for number in (1, 2, 3))
    return RobustnessSpec(sources=sources, methods=("average", "krum"), attack=attack, malicious=1)


def score(series: str, accuracy: float, malicious: int = 1, problem: str = "") -> Score:
    return Score(
        step=1,
        series=series,
        accuracy=accuracy,
        case=f"{malicious} malicious, strength 50",
        malicious=malicious,
        strength=50,
        problem=problem,
    )


BEST = Score(step=1, series=BEST_SERIES, accuracy=0.8)


def test_only_the_chosen_case_is_judged() -> None:
    events: list[Event] = [BEST, score("krum", 0.1, malicious=2), score("krum", 0.8), score("average", 0.5)]
    assert {key: found[0].accuracy for key, found in chosen_scores(events, spec_of()).items()} == {
        "krum": 0.8, "average": 0.5,
    }  # fmt: skip
    said = survival_sentence(events, spec_of(), None)
    assert "1 of 2 methods are not clearly below" in said
    assert "Krum" in said
    assert "so far" not in said
    assert survival_sentence([], spec_of(), None) == "Waiting for the first method."


def test_the_chosen_case_in_numbers() -> None:
    problem = "nothing is left"
    rows = case_rows([BEST, score("average", 0.5), score("krum", float("nan"), problem=problem)], spec_of())
    assert rows == [("average", "50.0\u00a0%", "−30.0", ""), ("krum", "none", "", "Nothing is left")]
    assert case_rows([], spec_of())[0] == ("average", "", "", "waiting")


def blame(gates: tuple[float, ...], malicious: tuple[bool, ...], gains: tuple[float, ...] = (0.0, 0.0, 0.2)) -> Blame:
    return Blame(step=1, case="", sources=("a", "*b*", "c"), malicious=malicious, gates=gates, gains=gains)


@pytest.mark.parametrize(
    ("gates", "malicious", "said"),
    [
        ((1, 1, 0), (False, False, True), "The gates closed on c, which is the malicious one."),
        ((1, 0.01, 0), (False, True, True), "The gates closed on *b* and c, which are the malicious ones."),
        ((1, 1, 0.4), (False, False, True), "closed on none, though c is malicious (mean gate 0.40)."),
        ((1, 1, 1), (False, False, False), "No source is malicious, and the gates closed on none."),
        ((0, 1, 0), (False, False, True), "The gates closed on a and c, of which a is honest."),
        ((1, 0.3, 0), (False, True, True), "closed on c, but not on *b*, which is malicious (mean gate 0.30)."),
        ((0, 1, 1), (False, False, False), "The gates closed on a, which is honest."),
        ((0, 1, 1), (False, False, True), "closed on a, which is honest, but not on c, which is malicious"),
    ],
)
def test_blame_in_words(gates: tuple[float, ...], malicious: tuple[bool, ...], said: str) -> None:
    assert said in blame_sentence(blame(gates, malicious))


def test_leave_one_out_in_words() -> None:
    bad = (False, False, True)
    said = blame_sentence(blame((1, 1, 0), bad))
    assert said.endswith("Leaving out c (malicious) gains the plain average most: 20.0\u00a0points on validation data.")
    none = blame_sentence(blame((1, 1, 0), bad, (-0.1, 0.0, 0.0)))
    assert none.endswith("Leaving any single source out of the plain average gains nothing.")
    assert blame_sentence(blame((1, 1, 0), bad, (float("nan"),) * 3)).endswith("which is the malicious one.")
    assert blame_sentence(None) == "Waiting for the gates of a soft merge."


def test_long_names_are_clipped() -> None:
    long = blame((1, 1, 0), (False, False, True)).model_copy(update={"sources": ("a", "b", "c" * 50)})
    assert "c" * 39 + "…" in blame_sentence(long)
    assert "c" * 40 not in blame_sentence(long)


def test_the_sentence_names_those_that_survive_and_no_other_case() -> None:
    events = [score("krum", 0.795), score("average", 0.7), score("average", 0.9, malicious=2)]
    assert sentence(spec_of(), events, BEST) == (
        "With 1 of 3 sources malicious, 1 of 2 methods are not clearly below the honest source with the lowest "
        "validation loss (80.0\u00a0%) on 1,000 test samples (the smallest gap they resolve is about 5.0\u00a0points): "
        "Krum. One seed."
    )
    assert "every method is clearly below" in sentence(spec_of(), events[1:], BEST)
    assert "clearly above it: Krum" in sentence(spec_of(), [score("krum", 0.9)], BEST)


def test_the_same_samples_tell_apart_what_two_accuracies_alone_cannot() -> None:
    def right(count: int) -> str:
        return pack(number < count for number in range(1000))

    close = score("krum", 0.78)
    assert "Krum" in sentence(spec_of(), [close], BEST)
    paired = close.model_copy(update={"correct": right(780)})
    assert "Krum" not in sentence(spec_of(), [paired], BEST.model_copy(update={"correct": right(800)}))


def test_a_finished_run_says_its_reason() -> None:
    assert survival_sentence([], spec_of(), {"reason": "As it was."}) == "As it was."


def test_what_stays_the_same_in_each_picture() -> None:
    assert number_sentence(spec_of()) == "With 1 of 3 sources malicious."
    assert strength_sentence(spec_of()) == "Strength 50."
    assert strength_sentence(spec_of("nan")) == "This attack has no strength."


def test_an_attack_without_strengths_says_why() -> None:
    assert no_strengths(spec_of("nan")) == "This attack has no strength to vary"
    nobody = spec_of().model_copy(update={"malicious": 0})
    assert no_strengths(nobody) == "No source is malicious, so there is no strength to vary"


def test_the_attack_in_words() -> None:
    assert about(spec_of()).endswith(", strength 50 (factor); 1 of 3 sources malicious")
    assert about(spec_of("nan")).endswith("; 1 of 3 sources malicious")
    assert "strength" not in about(spec_of("nan"))


def test_several_seeds_are_judged_together_and_counted() -> None:
    again = [score("krum", accuracy).model_copy(update={"seed": seed}) for seed, accuracy in enumerate((0.9, 0.8, 0.4))]
    asked = spec_of().model_copy(update={"seeds": 3})
    said = sentence(asked, again, BEST)
    assert "Krum" in said  # at 70.0 % on average, but no three seeds so far apart tell that from 80.0 %
    assert said.endswith(" 3 seeds.")
    assert "Krum" not in sentence(asked, [score("krum", 0.7)], BEST)
    (_, (_, accuracy, _, note)) = case_rows([BEST, *again], asked)
    assert accuracy == "70.0\u00a0%"
    assert note.startswith("Mean of 3 seeds, 95\u00a0% interval ")
    assert number_sentence(asked).endswith(
        " Bars: 95\u00a0% interval, 3 seeds and n = 1,000 test samples, where the attack or the method is random."
    )


def test_a_seed_that_failed_is_told() -> None:
    failed = score("krum", float("nan"), problem="nothing is left").model_copy(update={"seed": 1})
    rows = case_rows([BEST, score("krum", 0.8), failed], spec_of())
    assert rows[1] == ("krum", "none", "", "Nothing is left")
