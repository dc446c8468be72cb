"""Sources of specs, and what is known of where they come from."""

from softmerge_core.experiments.loading import base_of, yardsticks
from softmerge_core.settings import SourceSpec


def test_sources_of_ones_own_have_no_base_and_no_yardsticks_and_that_is_no_error() -> None:
    own = [SourceSpec(model=f"library/{name}") for name in "ab"]
    assert base_of(own) is None
    assert yardsticks(own, "moons") == {}


def test_a_family_has_its_trunk_and_joint_training_on_its_own_data_only() -> None:
    experts = [SourceSpec(model=f"skills-mlp-experts/{skill}-expert") for skill in ("digits", "emoji")]
    assert base_of(experts) is not None
    assert set(yardsticks(experts, "skills")) == {"trunk", "joint"}
    assert yardsticks(experts, "fashion") == {}
