"""What a reader writes on a run, a name of their own and tags, and who started it: in its folder, and moved with it."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from softmerge_core.errors import RunError, SettingsError
from softmerge_core.runs import files

LABELS = "labels.json"
OWNER = "owner.json"  # in a server that tells people apart
SWEEP_TAG = "sweep "  # how the tag begins that every run of a sweep carries
LONGEST_NAME, LONGEST_TAG, MOST_TAGS = 120, 40, 20


class Labels(NamedTuple):
    """``name``: "" stands for the one that the run was started with."""

    name: str = ""
    tags: tuple[str, ...] = ()


def read_labels(folder: Path) -> Labels:
    """Return what is written on the run in ``folder``; what cannot be read counts as nothing."""
    try:
        values = files.read_json(folder / LABELS) or {}
        tags = values.get("tags")
        return checked_labels(str(values.get("name", "")), tags if isinstance(tags, list) else ())
    except (RunError, SettingsError):
        return Labels()


def write_labels(folder: Path, labels: Labels) -> None:
    """Write on the run in ``folder``; raises SettingsError for what is too long or too much, RunError if it fails."""
    kept = checked_labels(labels.name, labels.tags)
    with files.writing(folder.name):
        files.write_json(folder / LABELS, kept._asdict(), durable=False)


def write_owner(folder: Path, owner: str) -> None:
    """Write down who started the run in ``folder``; raises RunError if it cannot be written."""
    with files.writing(folder.name):
        files.write_json(folder / OWNER, {"owner": owner}, durable=False)


def read_owner(folder: Path) -> str:
    """Return who started the run in ``folder``; "" where nobody knows. Raises RunError for a damaged file."""
    return str((files.read_json(folder / OWNER) or {}).get("owner") or "")


def checked_labels(name: str, tags: Iterable[object]) -> Labels:
    """Return labels in their usual form: no space around or doubled, each tag once; raises SettingsError."""
    name = " ".join(name.split())
    found = tuple(dict.fromkeys(text for tag in tags if (text := " ".join(str(tag).split()))))
    if len(name) > LONGEST_NAME:
        raise SettingsError(f"name: expected at most {LONGEST_NAME} letters, got {len(name)}")
    if long := next((tag for tag in found if len(tag) > LONGEST_TAG), None):
        raise SettingsError(f"tags: expected at most {LONGEST_TAG} letters each, got {len(long)}: {long[:LONGEST_TAG]}")
    if len(found) > MOST_TAGS:
        raise SettingsError(f"tags: expected at most {MOST_TAGS}, got {len(found)}")
    return Labels(name, found)
