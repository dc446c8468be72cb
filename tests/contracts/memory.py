"""A run's context in memory, which can be asked to stop and keeps what a run folder would keep."""

import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch

from softmerge_core.events import Event
from softmerge_core.experiments import Spec


class Memory:
    """A context that asks to stop once ``should_stop`` was asked ``patience`` times, tasks counted as well."""

    def __init__(self, snapshot: bytes | None = None, patience: int | None = None) -> None:
        self.snapshot, self.patience, self.asked = snapshot, patience, 0
        self.events: list[Event] = []
        self.weights: dict[str, dict[str, torch.Tensor]] = {}

    def emit(self, event: Event) -> None:
        self.events.append(event)

    def should_stop(self) -> bool:
        self.asked += 1
        return self.patience is not None and self.asked > self.patience

    def parallel(self, function: Callable[[Any], Any], tasks: Sequence[Any]) -> Iterator[tuple[int, Any]]:
        for position, task in enumerate(tasks):
            if self.should_stop():
                return
            work, given = pickle.loads(pickle.dumps((function, task)))  # as on the way to a worker, and back
            yield position, pickle.loads(pickle.dumps(work(given)))

    def save_weights(
        self, name: str, state: Mapping[str, torch.Tensor], metadata: Mapping[str, str] | None = None
    ) -> None:
        self.weights[name] = {key: value.detach().clone() for key, value in state.items()}

    def save_snapshot(self, snapshot: bytes, step: int | None = None) -> None:
        assert isinstance(snapshot, bytes), f"expected a snapshot as bytes, got {type(snapshot).__name__}"
        self.snapshot = snapshot

    def load_snapshot(self) -> bytes | None:
        return self.snapshot

    def earlier_snapshots(self) -> Iterator[bytes]:
        return iter(())

    def take_change(self, step: int) -> tuple[int, dict[str, Any]] | None:
        return None

    def save_spec(self, spec: Spec) -> None:
        raise AssertionError("nothing was changed")
