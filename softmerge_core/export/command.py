"""What ``softmerge export`` does: a network as files in a folder."""

import contextlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from softmerge_core.errors import RunError
from softmerge_core.home import write_atomic

ALL, ZIP = "all", "zip"
CHOICES = ("safetensors", "pt", "onnx", ALL, ZIP)


def export(what: str, out: str | None, form: str = ALL) -> dict[str, Any]:
    """Write the network that ``what`` names into the folder ``out`` (by default a new one, named after it).

    ``form``: one of CHOICES; "all" are the files themselves, "zip" is one archive of them. Returns what was written,
    as JSON values. Raises SoftMergeError; a file that is there already is not overwritten.
    """
    from softmerge_core.export.subject import open_subject
    from softmerge_core.zoo import slug

    with contextlib.redirect_stdout(sys.stderr):
        subject = open_subject(what)
        name = slug(what.rpartition("/")[2] if subject.stem == "merged" else what, subject.stem)
        files, notice = _files(subject, form, name)
    folder = Path(out or f"{subject.stem}-{name}").absolute()
    paths = write(folder, files)
    told = {"notice": notice} if notice else {}
    return {"name": subject.title, "out": str(folder), "files": [str(path) for path in paths], **told}


def _files(subject: Any, form: str, name: str) -> tuple[dict[str, bytes], str]:
    from softmerge_core.export.writing import FORMATS, archive, everything

    if form in FORMATS:
        return {f"{subject.stem}.{form}": FORMATS[form](subject)}, ""
    files, notice = everything(subject)
    if form == ZIP:
        folder = f"{subject.stem}-{name}"
        return {f"{folder}.zip": archive(files, folder)}, notice
    return files, notice


def write(folder: Path, files: Mapping[str, bytes]) -> list[Path]:
    """Write files into a folder, which may be new; raises RunError, also where one of them is there already."""
    paths = [folder / name for name in files]
    if there := [path.name for path in paths if path.exists()]:
        raise RunError(f"{folder} holds {there[0]} already: name another folder with --out")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, content in zip(paths, files.values(), strict=True):
            write_atomic(path, content)
    except OSError as error:
        raise RunError(f"{folder} could not be written ({error.strerror or error})") from error
    return paths
