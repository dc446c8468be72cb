"""Write the arrays that ship: ``python -m softmerge_core.data.prepare``.

A data set whose arrays ship has ``generate``, which makes them, and ``FILE``, their place in ``arrays/``.
"""

import importlib
import pkgutil

from safetensors.numpy import save_file

from softmerge_core import data


def main() -> None:
    """Make the arrays of every data set that ships them, and overwrite the files."""
    for info in pkgutil.iter_modules(data.__path__):
        module = importlib.import_module(f"{data.__name__}.{info.name}")
        if hasattr(module, "generate"):
            module.FILE.parent.mkdir(exist_ok=True)
            save_file(module.generate(), module.FILE)


if __name__ == "__main__":
    main()
