"""What ``softmerge bundle`` and ``softmerge import`` do."""

import contextlib
import sys
from pathlib import Path
from typing import Any

from softmerge_core.errors import BundleError, RunError
from softmerge_core.export.merged import run_folder
from softmerge_core.runs.store import EXAMPLE

EXPECTED = "expected the id or the folder of a run"


def bundle(what: str, out: str | None, pictures: str | None = None) -> dict[str, Any]:
    """Write the bundle of the run with this id or folder to the file ``out`` (by default a new one, named after it).

    ``pictures``: a folder of SVG and PNG files to pack along; else those that can be made here are. Returns what was
    written, as JSON values. Raises SoftMergeError; a file that is there already is not overwritten.
    """
    from softmerge_core.export.bundle.packing import pack

    folder = run_folder(what, EXPECTED)
    path = Path(out or f"bundle-{folder.name}.zip").absolute()
    if path.exists():
        raise RunError(f"{path} is there already: name another file")
    with contextlib.redirect_stdout(sys.stderr):
        made = pack(
            folder, what if what.startswith(EXAMPLE) else folder.name, path, Path(pictures) if pictures else None
        )
    left = [left.model_dump() for left in made.left_out]
    return {
        "name": made.name,
        "out": str(path),
        "bytes": path.stat().st_size,
        "files": list(made.files),
        "left_out": left,
    }


def bring(file: str) -> dict[str, Any]:
    """Make a bundle a run again; returns the run, as JSON values. Raises SoftMergeError."""
    from softmerge_core.export.bundle.bringing import bring_in

    path = Path(file)
    if not path.is_file():
        raise BundleError(f"{path.name}: expected a bundle, found no such file")
    return bring_in(path, path.name)._asdict()
