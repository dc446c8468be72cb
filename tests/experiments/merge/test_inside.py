"""What a merged network does, in words: counts that a plain loop gives, and no claim that chance alone may make."""

import numpy as np
import pytest

from softmerge_core.experiments.merge import inside as words
from softmerge_core.experiments.merge.predictions import FIRST, Predictions
from softmerge_core.statistics.calibration import Calibration

SOURCES = ("expert", "source-2")


def made(labels: list[int], **answers: list[int]) -> Predictions:
    """Predictions of two sources, the second the best; networks that are not named are always right."""
    keys = (*FIRST, "source:0", "source:1")
    classes = {key: np.array(answers.get(key.replace(":", "_"), labels)) for key in keys}
    return Predictions(np.array(labels), classes, {key: np.full(len(labels), 0.75) for key in keys}, 1)


def test_what_is_gained_and_lost_is_counted_and_judged() -> None:
    found = made([0] * 60, average=[0] * 20 + [1] * 40, soft=[1] * 2 + [0] * 58)
    text = words.changes_sentence(found, "average", SOURCES)
    assert "Of 60 test samples the merged network gets 40 right that the plain average gets wrong, and 2 wrong" in text
    assert "net +38, +63.3 points" in text
    assert "more than chance gives (McNemar's test, p\u00a0<\u00a00.001)" in text
    close = words.changes_sentence(made([0] * 60, soft=[1] * 2 + [0] * 58), "average", SOURCES)
    assert "net −2, −3.3 points" in close
    assert "which chance alone may give" in close
    same = words.changes_sentence(made([0] * 9), "source:1", SOURCES)
    assert same == "The merged network and Source 2 get exactly the same of 9 test samples right."


def test_samples_come_with_what_every_network_says() -> None:
    found = made([0, 1, 2], average=[0, 2, 1], source_1=[1, 1, 1])
    shown = words.shown_samples(found, [2, 1], "average", ("a", "b", "c"), SOURCES)
    assert [(each.place, each.truth, each.own.said, each.other.said) for each in shown] == [
        (2, "c", "c", "b"),
        (1, "b", "b", "c"),
    ]
    assert [answer.right for answer in shown[0].sources] == [True, False]
    assert shown[0].sources[1].title == "Source 2"
    assert words.page_sentence(40, 24, 12) == "25 to 36 of 40, in the order of the test set: none is picked out."
    assert words.page_sentence(3, 0, 3) == "All 3, in the order of the test set."
    legend = words.legend_sentence(found, "best_source", SOURCES, ("●", "◆"))
    assert "● the merged network and ◆ the best source" in legend
    assert "1 expert, 2 Source 2" in legend


def test_the_most_frequent_mistake_is_named_and_those_within_a_data_set_are_counted() -> None:
    found = made([0] * 5 + [1, 2, 3], soft=[1, 1, 2, 0, 0, 1, 2, 3])
    counts = found.confusion("soft", 4)
    text = words.confusion_sentence(counts, "soft", "abcd", (("first", 2), ("second", 2)), SOURCES)
    assert "is wrong on 3 samples; most often it takes “a” for “b” (2 of 5)" in text
    assert "67\u00a0% of its mistakes stay within one of 2 data sets" in text
    right = words.confusion_sentence(found.confusion("average", 4), "average", "abcd", (), SOURCES)
    assert right == "The plain average makes no mistake on these samples."


@pytest.mark.parametrize(
    ("says", "error", "chance", "told"),
    [
        (0.9, 0.2, 0.05, "it claims too much"),
        (0.5, 0.2, 0.05, "it claims too little"),
        (0.72, 0.2, 0.05, "too much at some confidences and too little at others"),
        (0.72, 0.02, 0.05, "a perfectly calibrated network may show as much"),
    ],
)
def test_calibration_in_words(says: float, error: float, chance: float, told: str) -> None:
    own, other = Calibration(error, 0.0, 0.3, chance, 50), Calibration(0.1, 0.05, 0.15, chance, 50)
    text = words.calibration_sentence({"soft": own, "average": other}, {"soft": (says, 0.7)})
    assert told in text
    assert "right on 70.0\u00a0%" in text
    assert text.endswith("the lowest is the plain average: 10.0\u00a0points (95\u00a0% interval 5.0 to 15.0).")
