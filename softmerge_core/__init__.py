"""Soft merging of trained networks: learn gates over frozen sources, never the weights.

The names below are loaded on first use, so that reading manifests, specs and runs does not wait for torch.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from softmerge_core.merging import MergeData, MergeResult, soft_merge
    from softmerge_core.settings import SoftMergeSettings

__all__ = ["MergeData", "MergeResult", "SoftMergeSettings", "soft_merge"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    home = "settings" if name == "SoftMergeSettings" else "merging"
    value = getattr(importlib.import_module(f"softmerge_core.{home}"), name)
    globals()[name] = value
    return value
