"""Alignment: brings networks that were trained separately into one order of units before they are merged.

The names below are loaded on first use, so importing the package does not load torch.
"""

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from softmerge_core.alignment.aligning import align as align
    from softmerge_core.alignment.aligning import matching as matching
    from softmerge_core.alignment.permute import apply as apply
    from softmerge_core.alignment.repairing import repair as repair
    from softmerge_core.alignment.symmetry.groups import permutation_groups as permutation_groups
    from softmerge_core.alignment.transport import fuse as fuse

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "aligning": ["align", "matching"],
        "permute": ["apply"],
        "repairing": ["repair"],
        "symmetry.groups": ["permutation_groups"],
        "transport": ["fuse"],
    },
)
