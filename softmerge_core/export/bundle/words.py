"""The script and the words that come with a bundle. Whatever a person chose is told as text, never as code."""

from collections.abc import Sequence

from softmerge_core.errors import short
from softmerge_core.experiments import experiments
from softmerge_core.experiments.describe import what_made
from softmerge_core.export.bundle import manifest as known
from softmerge_core.export.bundle.manifest import Manifest
from softmerge_core.runs.store import RunView

SCRIPT = '''"""Run this experiment again and set its numbers beside those that were recorded: python run.py

Packed with Soft Merge {version}, {versions}, on {platform}.
The numbers are the same to the last digit with the same versions on the same kind of machine; on others the last
digits may differ. It needs Soft Merge {version} installed (or its folder in PYTHONPATH). Nothing of yours is touched:
the run has a home of its own, in a temporary folder.
"""

import os
import sys
import tempfile
from pathlib import Path

BUNDLE = Path(__file__).resolve().parent  # spec, own models and data lie beside this file

try:
    from softmerge_core.export.bundle.again import run_again
except ImportError:
    sys.exit("This script needs Soft Merge {version}: install it, or put its folder in PYTHONPATH.")

if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="softmerge-") as home:
        os.environ["SOFTMERGE_HOME"] = home
        sys.exit(run_again(BUNDLE))
'''
ABOUT = (
    ("run/spec.json", "all settings, from which the run is done again"),
    ("run/result.json", "all numbers that came of it, to the last digit"),
    ("run/events.jsonl", "what happened, moment by moment, one JSON object a line"),
    ("run/weights/", "networks that the run kept (safetensors)"),
    (known.MODELS, "models of your own that went in"),
    (known.SOURCES, "weights files of your own that went in"),
    (known.DATA, "data of your own that it was done on"),
    (known.TABLES, "the numbers as tables (CSV)"),
    (known.FIGURES, "the pictures (SVG and PNG)"),
    (known.SCRIPT, "runs it again and compares: python run.py"),
    (known.MANIFEST, "versions, seeds, and the SHA-256 of every file"),
)


def script(manifest: Manifest) -> str:
    """The script that runs the experiment again."""
    plain = {name: _plain(text) for name, text in (("version", manifest.softmerge), ("platform", manifest.platform))}
    return SCRIPT.format(versions=_plain(_versions(manifest)), **plain)


def readme(manifest: Manifest, view: RunView) -> str:
    """What a bundle is and what lies in it, in plain words."""
    kind = experiments()[manifest.kind].title
    head = short(manifest.name, 120) or "A run without a name"
    there = [*manifest.files, known.SCRIPT, known.MANIFEST]
    listed = [f"  {name:18} {what}" for name, what in ABOUT if any(file.startswith(name) for file in there)]
    seeds = ", ".join(f"{place} = {value}" for place, value in manifest.seeds.items()) or "none"
    parts = [
        f"{head}\n{'=' * len(head)}",
        f"{kind}, made on {manifest.created[:10]}, packed on {manifest.exported[:10]} with Soft Merge "
        f"{manifest.softmerge} ({_versions(manifest)}; {manifest.platform}).\n"
        f"Made from: {short(what_made(view.spec), 400)}\n"
        f"How it ended: {short((view.result or {}).get('reason') or view.error or view.status, 600)}\nSeeds: {seeds}",
        "Drop this file on the Runs page of Soft Merge, or say `softmerge import FILE`: it is the same run there.\n"
        "`python run.py`, where Soft Merge is installed, does it again and compares the numbers.",
        "What lies here:\n" + "\n".join(listed),
        _left_out(manifest),
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def _left_out(manifest: Manifest) -> str:
    if not manifest.left_out:
        return ""
    lines = [f"  {short(left.file, 120)}: {left.why}" for left in manifest.left_out]
    return "Left out:\n" + "\n".join(lines)


def _versions(manifest: Manifest) -> str:
    return ", ".join(f"{name} {number}" for name, number in manifest.versions.items())


def _plain(text: str) -> str:
    """A text that may stand in a script's words."""
    return "".join(letter for letter in text if letter.isalnum() or letter in " .,+-_")


def lines(rows: Sequence[Sequence[str]]) -> str:
    """Rows as columns of text."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) for row in rows)
