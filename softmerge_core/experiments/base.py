"""The contract of every experiment: a frozen spec in, a stream of events out, a JSON-serialisable result at the end."""

import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Protocol, Self

from pydantic import ConfigDict, Field

from softmerge_core.alignment.settings import How
from softmerge_core.events import Event
from softmerge_core.experiments.outcome import Measure, Outcome, one_accuracy
from softmerge_core.experiments.tables import Table
from softmerge_core.settings import Frozen, setting

if TYPE_CHECKING:
    import torch


class Spec(Frozen):
    """Base of all specs. ``kind`` names the experiment, ``name`` is the reader's own title for the run."""

    kind: str = Field(description="Which experiment.")
    name: str = Field("", max_length=1000, description="The reader's own title for the run.")

    @property
    def device(self) -> str:
        """What the run asks to compute on, as torch names it, or "auto"."""
        return "cpu"

    def settled(self) -> Self:
        """The same run with everything that is left open filled in, and what has no effect at its default.

        Specs that lead to the same run are equal then, but for their names.
        """
        return self

    @property
    def parent(self) -> tuple[str, int] | None:
        """The id and the step of a run of which it goes the way up to there; None for one that goes its own way."""
        return None

    def continues(self, parent: "Spec") -> bool:
        """Whether a run of this spec may begin with a snapshot that one of the spec ``parent`` kept on its way."""
        return False


Share = Annotated[float, Field(ge=0, le=1 + 1e-6)]  # the mean of values up to 1 may be a little above it


class Result(Frozen):
    """What pages take from a result; whatever else there is they leave alone.

    Base of the results of all kinds. Results are read from files, so types are not converted.
    """

    model_config = ConfigDict(extra="allow", strict=True)
    reason: str | None = None
    seconds: float | None = Field(None, ge=0)


def align_setting() -> How:
    """The field, common to several specs, that aligns the sources before they are merged."""
    field: How = setting(
        "none",
        "Align first",
        "Permute each source's channels to match the best source's, by weights or by activations on training inputs; "
        "what it computes stays the same.",
    )
    return field


class Context(Protocol):
    """The services that a running experiment may use. Implemented by the run writer, and by tests in memory."""

    def emit(self, event: Event) -> None:
        """Append one event; ``seconds`` is filled in by the context."""

    def should_stop(self) -> bool:
        """True once the reader asked to stop; blocks while the run is paused."""
        ...

    def parallel(self, function: Callable[[Any], Any], tasks: Sequence[Any]) -> Iterator[tuple[int, Any]]:
        """Yield (position, result) of each task as it is done, in all workers; end early when the run is stopped.

        ``function`` must be defined at the top of a module, and its argument and result must be picklable.
        """
        ...

    def save_weights(
        self, name: str, state: "Mapping[str, torch.Tensor]", metadata: Mapping[str, str] | None = None
    ) -> None:
        """Keep a network's state under ``name`` (letters, digits, - and _), atomically, with remarks in its file."""

    def save_snapshot(self, snapshot: bytes, step: int | None = None) -> None:
        """Keep, atomically, the state from which a later attempt can go on.

        With the ``step`` at which it was made it may also be kept for runs that branch from there.
        """

    def load_snapshot(self) -> bytes | None:
        """The newest snapshot of an interrupted run, or None at a fresh start."""
        ...

    def earlier_snapshots(self) -> Iterator[bytes]:
        """The snapshots kept on the way, by this run or the one that it branched from, from the last to the first."""
        ...

    def take_change(self, step: int) -> tuple[int, dict[str, Any]] | None:
        """What the reader set anew while the run was paused, once: new settings, and from which step on they hold.

        That is ``step``, or a later one where an earlier attempt has told of that already.
        """
        ...

    def save_spec(self, spec: Spec) -> None:
        """Keep the spec as it is now, atomically, once new settings are in it."""


@dataclass(frozen=True)
class Experiment:
    """One kind of run: the parts that need no torch, and ``run``, the door to the work that does."""

    name: str
    title: str
    spec: type[Spec]
    work: str  # the module with ``run(spec, context)``; imported when the first run begins
    check: Callable[[Any], None]  # raises SoftMergeError before any work starts; light: no torch
    example: Callable[[], Spec]  # a spec that runs
    small: Callable[[], Spec]  # a spec that runs in about a second, for tests
    result: type[Result] = Result  # what pages expect of its result
    outcome: Callable[[Mapping[str, Any]], Outcome | None] | None = None  # of a result; none: it has no main number
    measure: Callable[[Any], Measure] = one_accuracy  # of a spec: what the main number of its outcome is
    alike: Callable[[Any], str] | None = None  # runs of one text can go side by side by ``run_each``; "": it goes alone
    numbers: str = ""  # the module with ``tables(spec, events)``, if there is one; light, imported when it is asked for
    changes: type[Frozen] | None = None  # what a paused run can be told to go on with

    def run(self, spec: Spec, context: Context) -> dict[str, Any]:
        """Do the work; returns the result as plain JSON values."""
        result: dict[str, Any] = importlib.import_module(self.work).run(spec, context)
        return result

    def run_each(self, specs: Sequence[Spec], contexts: Sequence[Context]) -> list[dict[str, Any]]:
        """Do the work of several that are ``alike`` side by side; returns what ``run`` returns for each of them."""
        results: list[dict[str, Any]] = importlib.import_module(f"{self.work}_each").run_each(specs, contexts)
        return results

    def tables(self, spec: Spec, events: Sequence[Event]) -> list[Table]:
        """The numbers that its pictures are drawn from, as tables; none where it has no such module."""
        found: list[Table] = importlib.import_module(self.numbers).tables(spec, events) if self.numbers else []
        return [table for table in found if table.rows]
