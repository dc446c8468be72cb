"""Weights files, written by this project or by strangers: read without running what is in them.

The names below are loaded on first use.
"""

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from softmerge_core.checkpoints.files import check_finite as check_finite
    from softmerge_core.checkpoints.files import load_checkpoint as load_checkpoint
    from softmerge_core.checkpoints.files import load_into as load_into
    from softmerge_core.checkpoints.files import save_checkpoint as save_checkpoint
    from softmerge_core.checkpoints.files import state_hash as state_hash
    from softmerge_core.checkpoints.sources import LazySources as LazySources
    from softmerge_core.checkpoints.sources import from_files as from_files

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "files": ["check_finite", "load_checkpoint", "load_into", "save_checkpoint", "state_hash"],
        "sources": ["LazySources", "from_files"],
    },
)
