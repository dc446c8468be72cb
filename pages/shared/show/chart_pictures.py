"""Pictures of the charts on a page, SVG and PNG, made by the reader's own browser: a server needs none for them."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from softmerge_core.errors import BundleError
from softmerge_core.export.bundle.pictures import MOST, checked

PREFIXES = "data:image/png;base64,", "data:image/svg+xml;base64,"
LARGEST_SENT = 64 * 2**20  # bytes of all of them together


def read_pictures(sent: Any) -> dict[str, bytes]:
    """The pictures in what a browser sent, which may be anything; what is none is left out."""
    found: dict[str, bytes] = {}
    for name, url in list(sent.items())[:MOST] if isinstance(sent, Mapping) else ():
        content = _content(url) if isinstance(url, str) else b""
        try:
            found[str(name)] = checked(str(name), content)
        except BundleError:
            continue
    return found


def _content(url: str) -> bytes:
    prefix = next(filter(url.startswith, PREFIXES), None)
    try:
        return b"" if prefix is None else base64.b64decode(url.removeprefix(prefix), validate=True)
    except (binascii.Error, ValueError):
        return b""
