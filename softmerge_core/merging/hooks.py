"""What is called while a merge goes on."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from softmerge_core.events import Event
from softmerge_core.merging.changes import Change
from softmerge_core.merging.pace import NOTHING_KNOWN, Ahead
from softmerge_core.merging.reporting import Reporter
from softmerge_core.merging.stages import StagePlan
from softmerge_core.merging.watching import Watcher

Watch = Callable[[StagePlan, Reporter], Watcher]  # asked at the beginning of each stage, or where one is gone on with


@dataclass(frozen=True)
class Hooks:
    """What is called while a merge goes on, and what is known of its time; see ``soft_merge``."""

    on_event: Callable[[Event], None] | None = None
    should_stop: Callable[[], bool] | None = None
    observe: Callable[[nn.Module, int], None] | None = None
    on_snapshot: Callable[[bytes], None] | None = None
    ahead: Ahead = NOTHING_KNOWN
    take_change: Callable[[int], Change | None] | None = None
    watch: Watch | None = None

    def watcher(self, plan: StagePlan, reporter: Reporter) -> Watcher | None:
        """Return who looks at the steps of a stage; usually nobody."""
        return self.watch(plan, reporter) if self.watch else None
