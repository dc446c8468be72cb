"""The scripts of components, each in parts that several may share."""

from pathlib import Path


def scripts(folder: Path, *names: str) -> str:
    """The files of a folder one after the other, as one script; a component is the last of its parts."""
    return "\n".join((folder / name).read_text(encoding="utf-8") for name in names)
