"""What is called while a merge goes on."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from softmerge_core.events import Event
from softmerge_core.merging.changes import Change
from softmerge_core.merging.pace import NOTHING_KNOWN, Ahead


@dataclass(frozen=True)
class Hooks:
    """What is called while a merge goes on, and what is known of its time; see ``soft_merge``."""

    on_event: Callable[[Event], None] | None = None
    should_stop: Callable[[], bool] | None = None
    observe: Callable[[nn.Module, int], None] | None = None
    on_snapshot: Callable[[bytes], None] | None = None
    ahead: Ahead = NOTHING_KNOWN
    take_change: Callable[[int], Change | None] | None = None
