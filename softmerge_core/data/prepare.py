"""Write the arrays that ship: ``python -m softmerge_core.data.prepare``.

A data set whose arrays ship has ``generate``, which makes them, and ``FILE``, their place in ``arrays/``: safetensors,
or an ``.npz``, which is packed. Names that follow the command are of the only ones to write. Those of pictures need the
collections that ``softmerge_core/data/pictures.py`` describes.
"""

import importlib
import pkgutil
import sys
from collections.abc import Collection
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from softmerge_core import data
from softmerge_core.data.base import Arrays


def main(names: Collection[str] = ()) -> None:
    """Make the arrays of every data set that ships them (or of those named), and overwrite the files."""
    for info in pkgutil.iter_modules(data.__path__):
        module = importlib.import_module(f"{data.__name__}.{info.name}")
        if hasattr(module, "generate") and (not names or info.name in names):
            module.FILE.parent.mkdir(exist_ok=True)
            _save(module.generate(), module.FILE)


def _save(arrays: Arrays, path: Path) -> None:
    if path.suffix == ".npz":
        np.savez_compressed(path, allow_pickle=False, **arrays)
    else:
        save_file(arrays, path)


if __name__ == "__main__":
    main(sys.argv[1:])
