"""The spec of a merge: which sources, on which data, with which settings. Loads no torch."""

from typing import Literal, Self

from softmerge_core.alignment.settings import How
from softmerge_core.errors import SettingsError
from softmerge_core.experiments.admission import FIRST, check_sources, example_sources, small_sources
from softmerge_core.experiments.base import Spec, align_setting
from softmerge_core.settings import DataSpec, SoftMergeSettings, SourceSpec, setting


class MergeSpec(Spec):
    """The sources to merge, the samples to merge them on, and the settings of the gates."""

    kind: Literal["merge"] = setting("merge", "Kind", "Which experiment: a soft merge.")
    sources: tuple[SourceSpec, ...] = setting((), "Sources", "Two or more trained networks of one architecture.")
    data: DataSpec = setting(DataSpec(), "Data", "The samples gates are trained, validated and tested on.")
    align: How = align_setting()
    settings: SoftMergeSettings = setting(SoftMergeSettings(), "Settings", "How gates are laid and trained.")

    @property
    def device(self) -> str:
        """See Spec."""
        return self.settings.device

    def settled(self) -> Self:
        """See Spec: gating is what happens to a part that is not named."""
        parts = {name: choice for name, choice in self.settings.parts.items() if choice != "gate"}
        return self.model_copy(update={"settings": self.settings.model_copy(update={"parts": parts})})


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
    for part, choice in spec.settings.parts.items():
        kept = choice.removeprefix("keep:")
        if kept.isdigit() and int(kept) >= len(spec.sources):
            raise SettingsError(
                f"part {part!r} keeps Source {int(kept) + 1}, but there are {len(spec.sources)} sources"
            )
