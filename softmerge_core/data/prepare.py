"""Writes the arrays that are shipped: ``python -m softmerge_core.data.prepare``."""

from safetensors.numpy import save

from softmerge_core.data import digits, mnist1d
from softmerge_core.home import write_atomic


def main() -> None:
    """Make both data sets from their packages and overwrite the shipped files."""
    for module in (mnist1d, digits):
        module.FILE.parent.mkdir(exist_ok=True)
        write_atomic(module.FILE, save(module.generate()))


if __name__ == "__main__":
    main()
