"""What ``softmerge replay`` does."""

from pathlib import Path
from typing import Any

from softmerge_core.errors import RunError
from softmerge_core.export.merged import run_folder
from softmerge_core.home import write_atomic

EXPECTED = "expected the id or the folder of a run"


def replay(what: str, out: str) -> dict[str, Any]:
    """Write the merge run with this id or folder as a page of HTML to the file ``out``; returns what was written.

    Raises SoftMergeError; a file that is there already is not overwritten.
    """
    from softmerge_core.export.replay.page import replay_page

    folder, path = run_folder(what, EXPECTED), Path(out).absolute()
    if path.exists():
        raise RunError(f"{path} is there already: name another file")
    page = replay_page(folder)
    try:
        write_atomic(path, page.html.encode())
    except OSError as error:
        raise RunError(f"{path.name} could not be written ({error.strerror or error})") from error
    return {
        "name": page.title,
        "out": str(path),
        "bytes": path.stat().st_size,
        "moments": page.shown,
        "of": page.moments,
    }
