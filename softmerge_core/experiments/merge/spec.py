"""The spec of a merge: which sources, on which data, with which settings. Loads no torch."""

from typing import Literal, Self

from pydantic import Field, model_validator

from softmerge_core.alignment.settings import How
from softmerge_core.errors import SettingsError
from softmerge_core.experiments.admission import FIRST, check_sources, example_sources, small_sources
from softmerge_core.experiments.base import Spec, align_setting
from softmerge_core.merging.changes import LAST, Change, check_changes, effective
from softmerge_core.merging.forced import Start
from softmerge_core.settings import DataSpec, Frozen, SoftMergeSettings, SourceSpec, setting

MOST_STAGES = 8  # of "auto", with gates relative to the base and the two that rescaling is compared with


class Branch(Frozen):
    """The step of another run that a run goes on from."""

    run: str = Field(max_length=100, description="The id of the run.")
    step: int = Field(ge=0, le=LAST, description="The step up to which both are the same.")


class MergeSpec(Spec):
    """The sources to merge, the samples to merge them on, and the settings of the gates."""

    kind: Literal["merge"] = setting("merge", "Kind", "Which experiment: a soft merge.")
    sources: tuple[SourceSpec, ...] = setting((), "Sources", "Two or more trained networks of one architecture.")
    data: DataSpec = setting(DataSpec(), "Data", "The samples gates are trained, validated and tested on.")
    align: How = align_setting()
    settings: SoftMergeSettings = setting(SoftMergeSettings(), "Settings", "How gates are laid and trained.")
    changes: tuple[Change, ...] = setting((), "Changes", "New settings on the way, each after its step of the run.")
    start: Start | None = setting(None, "Start", "The gates to begin with, some of them forced by hand; usually fresh.")
    branch: Branch | None = setting(None, "Branch", "The run that it branched from; it changes nothing by itself.")

    @model_validator(mode="after")
    def _rising(self) -> Self:
        try:
            check_changes(self.changes, LAST + 1)
        except SettingsError as error:
            raise ValueError(str(error).removeprefix("changes: ")) from error
        return self

    @property
    def device(self) -> str:
        """See Spec."""
        return self.settings.device

    def settled(self) -> Self:
        """See Spec: gating is what happens to a part that is not named."""
        parts = {name: choice for name, choice in self.settings.parts.items() if choice != "gate"}
        settings, changes = self.settings.model_copy(update={"parts": parts}), effective(self.settings, self.changes)
        return self.model_copy(update={"settings": settings, "changes": changes, "branch": None})

    @property
    def parent(self) -> tuple[str, int] | None:
        """See Spec."""
        return (self.branch.run, self.branch.step) if self.branch else None

    def continues(self, parent: Spec) -> bool:
        """See Spec: all that holds before the step must be the same."""
        return isinstance(parent, MergeSpec) and self._before() == parent._before(self.parent)

    def _before(self, branch: tuple[str, int] | None = None) -> Self:
        """What holds before the step of a ``branch``, by default this run's own."""
        _, step = branch or self.parent or ("", 0)
        changes = tuple(change for change in self.changes if change.step < step)
        return self.model_copy(update={"name": "", "changes": changes, "branch": None})


def example() -> MergeSpec:
    """A spec that runs: three experts of one trunk (or the first family there is)."""
    sources, data = example_sources(FIRST)
    return MergeSpec(name="A first look: three experts, one network", sources=sources, data=data)


def small() -> MergeSpec:
    """Return a spec that runs in about a second."""
    sources, data = small_sources()
    return MergeSpec(sources=sources, data=data, settings=SoftMergeSettings(steps=6, evaluate_every=3))


def check(spec: MergeSpec) -> None:
    """Raise SoftMergeError for every mistake that the manifests reveal; no weights are read."""
    check_sources(spec.sources, spec.data)
    check_start(spec)
    stages = MOST_STAGES if spec.settings.granularity == "auto" else 1 + 2 * spec.settings.rescale
    check_changes(spec.changes, spec.settings.steps * stages)
    for part, choice in spec.settings.parts.items():
        kept = choice.removeprefix("keep:")
        if kept.isdigit() and int(kept) >= len(spec.sources):
            raise SettingsError(
                f"part {part!r} keeps Source {int(kept) + 1}, but there are {len(spec.sources)} sources"
            )


def check_start(spec: MergeSpec) -> None:
    """Raise SettingsError unless the gates that a merge is to begin with are of one granularity and of its sources."""
    if spec.start is None:
        return
    if spec.settings.granularity == "auto":
        raise SettingsError("start: expected one granularity for the gates that a merge begins with, got auto")
    if (found := len(spec.start.logits[0])) != len(spec.sources):
        raise SettingsError(f"start: expected gates for {len(spec.sources)} sources, got {found}")
