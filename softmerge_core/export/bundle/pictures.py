"""The pictures of a bundle: SVG and PNG files, as a browser or Plotly's own exporter has made them. Loads no torch."""

import re
from pathlib import Path

from softmerge_core.errors import BundleError, short
from softmerge_core.export.bundle.manifest import FIGURES

PNG = b"\x89PNG\r\n\x1a\n"
SVG = re.compile(rb"\s*(<\?xml[^>]*>\s*)?<svg[\s>]")
MOST, LARGEST = 60, 8 * 2**20  # files, and bytes of one
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,59}\.(svg|png)", re.ASCII)


def picture_files(folder: Path | None) -> dict[str, bytes]:
    """The pictures in a folder by their names in a bundle; raises BundleError for what is no such picture."""
    if folder is None or not folder.is_dir():
        return {}
    found = sorted(path for path in folder.iterdir() if path.suffix in (".svg", ".png"))
    if len(found) > MOST:
        raise BundleError(f"{short(folder.name)}: expected at most {MOST} pictures, got {len(found)}")
    return {f"{FIGURES}{path.name}": checked(path.name, path.read_bytes()) for path in found}


def checked(name: str, content: bytes) -> bytes:
    """``content``; raises BundleError unless it is the picture that its name says."""
    if not NAME.fullmatch(name):
        raise BundleError(f"picture {short(name)!r}: expected a name of small letters, digits and -")
    good = content.startswith(PNG) if name.endswith(".png") else SVG.match(content) is not None
    if not good or len(content) > LARGEST:
        raise BundleError(f"picture {short(name)!r}: expected a {name[-3:].upper()} of at most {LARGEST:,} bytes")
    return content
