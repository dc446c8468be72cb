"""What every experiment is: a frozen spec in, a stream of events out, a JSON-serialisable result at the end."""

import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from pydantic import Field

from softmerge_core.events import Event
from softmerge_core.settings import Frozen

if TYPE_CHECKING:
    import torch


class Spec(Frozen):
    """Base of all specs. ``kind`` names the experiment, ``name`` is the reader's own title for the run."""

    kind: str = Field(description="Which experiment.")
    name: str = Field("", description="The reader's own title for the run.")


class Context(Protocol):
    """What a running experiment may touch. Implemented by the run writer, and by tests in memory."""

    def emit(self, event: Event) -> None:
        """Append one event; ``seconds`` is filled in by the context."""

    def should_stop(self) -> bool:
        """True once the reader asked to stop; blocks while the run is paused."""
        ...

    def parallel(self, function: Callable[[Any], Any], tasks: Sequence[Any]) -> Iterator[tuple[int, Any]]:
        """(position, result) of each task as it is done, in as many workers as there are; ends early when asked to.

        ``function`` is a module's own, its argument and result can be pickled.
        """
        ...

    def save_weights(self, name: str, state: "Mapping[str, torch.Tensor]") -> None:
        """Keep a network's state under ``name`` (letters, digits, - and _), atomically."""

    def save_snapshot(self, snapshot: bytes) -> None:
        """Keep what is needed to go on from here, atomically."""

    def load_snapshot(self) -> bytes | None:
        """The newest snapshot of an interrupted run, or None when starting afresh."""
        ...


@dataclass(frozen=True)
class Experiment:
    """One kind of run: what is known of it without torch, and ``run``, the door to what takes torch."""

    name: str
    title: str
    spec: type[Spec]
    work: str  # the module with ``run(spec, context)``; imported when the first run begins
    check: Callable[[Any], None]  # raises SoftMergeError before any work starts; light: no torch
    example: Callable[[], Spec]  # a spec that runs

    def run(self, spec: Spec, context: Context) -> dict[str, Any]:
        """Do the work; returns the result as plain JSON values."""
        result: dict[str, Any] = importlib.import_module(self.work).run(spec, context)
        return result
