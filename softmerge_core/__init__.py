"""Soft merging of trained networks: learn gates over frozen sources, never the weights.

The names below are loaded on first use, so that reading manifests, specs and runs does not wait for torch.
"""

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from softmerge_core.data.base import MergeData as MergeData
    from softmerge_core.merging.result import MergeResult as MergeResult
    from softmerge_core.merging.seeds import soft_merge_each as soft_merge_each
    from softmerge_core.merging.soft import soft_merge as soft_merge
    from softmerge_core.networks import register_network as register_network
    from softmerge_core.settings import SoftMergeSettings as SoftMergeSettings

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "data.base": ["MergeData"],
        "merging.result": ["MergeResult"],
        "merging.seeds": ["soft_merge_each"],
        "merging.soft": ["soft_merge"],
        "networks": ["register_network"],
        "settings": ["SoftMergeSettings"],
    },
)
