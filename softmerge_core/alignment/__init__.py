"""Networks that were trained apart, brought into one order of units before they are merged.

The names below are loaded on first use, so that naming the package loads no torch.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from softmerge_core.alignment.aligning import align
    from softmerge_core.alignment.groups import permutation_groups
    from softmerge_core.alignment.permute import apply
    from softmerge_core.alignment.repairing import repair
    from softmerge_core.alignment.transport import fuse

__all__ = ["align", "apply", "fuse", "permutation_groups", "repair"]

HOMES = {
    "align": "aligning",
    "apply": "permute",
    "fuse": "transport",
    "permutation_groups": "groups",
    "repair": "repairing",
}


def __getattr__(name: str) -> Any:
    if name not in HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"{__name__}.{HOMES[name]}"), name)
