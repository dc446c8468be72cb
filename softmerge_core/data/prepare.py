"""Writes the arrays that are shipped: ``python -m softmerge_core.data.prepare``."""

from safetensors.numpy import save_file

from softmerge_core.data import digits, mnist1d


def main() -> None:
    """Make both data sets from their packages and overwrite the shipped files."""
    for module in (mnist1d, digits):
        module.FILE.parent.mkdir(exist_ok=True)
        save_file(module.generate(), module.FILE)


if __name__ == "__main__":
    main()
