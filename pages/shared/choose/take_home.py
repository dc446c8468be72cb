"""Networks to take along: their files are made when asked for, by a process of their own, since it loads torch."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from pages.shared.choose.zoo_command import engine_command
from pages.shared.show.file_button import file_button, made
from softmerge_core.errors import CheckpointError
from softmerge_core.export.exchange import missing

FAILURE = "the file could not be made"
# Per button: format, label, icon, what the file's name says, its ending.
PT = ("pt", "As .pt", ":material/download:", "weights", "pt")
ZIP = ("zip", "Everything (.zip)", ":material/folder_zip:", "network", "zip")
HELP = {
    "pt": "The same weights as PyTorch's own file: a plain state dict for torch.load.",
    "zip": "All weights files, a Python file that loads them without this app, and a card that says what they are.",
}


def take_home(what: str, name: Callable[[str, str], str], *, place: str = "") -> None:
    """Buttons for the network ``what`` (as ``softmerge export`` takes it) as .pt and as an archive of everything.

    ``name`` gives the name of a file from what it holds and its ending; ``place`` as in ``file_button``.
    """
    for form, label, icon, holds, ending in (PT, ZIP):
        file, about = name(holds, ending), HELP[form]
        file_button(label, file, address=made(form, what), icon=icon, help=about, place=place and f"{place}-{form}")


def exported(what: str, form: str) -> bytes:
    """The bytes of the file that ``softmerge export`` makes; raises SoftMergeError."""
    try:
        with tempfile.TemporaryDirectory(prefix="softmerge-") as folder:
            engine_command("export", what, f"--out={folder}", f"--format={form}", failure=FAILURE)
            (path,) = Path(folder).iterdir()
            return path.read_bytes()
    except (OSError, ValueError) as error:
        raise CheckpointError(FAILURE) from error


def onnx_note() -> str:
    """What to install so that the archive has an ONNX file too, as Markdown; "" where all is there."""
    told, _, command = missing().partition(": ")
    return f"{told} beside this app: `{command}`" if told else ""
