"""The mark on a run that came in a bundle: from where, of which version, and when. Loads no torch."""

from datetime import UTC, datetime
from pathlib import Path

from softmerge_core.errors import RunError
from softmerge_core.export.bundle.manifest import Manifest
from softmerge_core.runs import files
from softmerge_core.settings import Frozen

FILE = "imported.json"


class Mark(Frozen):
    """What is known of a run that came in a bundle; times are ISO 8601, UTC. ``digest``: that of its bundle."""

    run: str
    digest: str
    softmerge: str
    platform: str
    exported: str
    imported: str


def write_mark(folder: Path, manifest: Manifest) -> None:
    """Mark the run in ``folder`` as one that came in this bundle."""
    mark = Mark(
        run=manifest.run,
        digest=manifest.digest,
        softmerge=manifest.softmerge,
        platform=manifest.platform,
        exported=manifest.exported,
        imported=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    files.write_json(folder / FILE, mark.model_dump(mode="json"))


def read_mark(folder: Path) -> Mark | None:
    """The mark on the run in ``folder``; None where it was made here, or the mark is damaged."""
    try:
        values = files.read_json(folder / FILE)
        return Mark.model_validate(values) if values is not None else None
    except (RunError, ValueError):
        return None


def mark_sentence(mark: Mark) -> str:
    """Where a run came from, in one sentence."""
    made = f"version {mark.softmerge} ({mark.platform}) on {mark.exported[:10]}"
    return f"Brought in on {mark.imported[:10]} from a bundle that was made with {made}, where it is run {mark.run}."
