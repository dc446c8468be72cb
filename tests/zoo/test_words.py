"""How a model was trained is said as it was."""

from softmerge_core.settings import TrainSettings
from softmerge_core.zoo.words import how_trained


def test_a_trunk_says_which_samples_it_saw() -> None:
    trunk = TrainSettings(epochs=3, share=0.1)
    assert "the trunk all share (3 epochs on 10 % of the samples)" in how_trained(TrainSettings(), trunk)
    assert "the trunk all share (20 epochs on all samples)" in how_trained(TrainSettings(), TrainSettings())


def test_a_long_row_of_classes_is_told_by_its_ends() -> None:
    assert "of classes 10 to 19." in how_trained(TrainSettings(classes=tuple(range(10, 20))))
    assert "of classes 0, 2, 4, 6, 8, 10." in how_trained(TrainSettings(classes=(0, 2, 4, 6, 8, 10)))
