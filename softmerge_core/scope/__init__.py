"""Weight scope (arXiv 2408.12237): the mean and spread of each layer's weights, and training that pulls them together.

The names below are loaded on first use, so that naming the package loads no torch.
"""

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from softmerge_core.scope.alignment import into_one_scope as into_one_scope
    from softmerge_core.scope.measure import Scope as Scope
    from softmerge_core.scope.measure import ScopePenalty as ScopePenalty
    from softmerge_core.scope.measure import distance as distance
    from softmerge_core.scope.measure import fuse as fuse
    from softmerge_core.scope.measure import kl as kl
    from softmerge_core.scope.measure import scope_of as scope_of

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "alignment": ["into_one_scope"],
        "measure": ["Scope", "ScopePenalty", "distance", "fuse", "kl", "scope_of"],
    },
)
