"""What is called while a merge goes on."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from softmerge_core.events import Event


@dataclass(frozen=True)
class Hooks:
    """What is called while a merge goes on; see ``soft_merge``."""

    on_event: Callable[[Event], None] | None = None
    should_stop: Callable[[], bool] | None = None
    observe: Callable[[nn.Module, int], None] | None = None
    on_snapshot: Callable[[bytes], None] | None = None
