"""The commands of ``softmerge data``: your own data files. Results go to stdout, progress to stderr."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from softmerge_core.cli import plain, show
from softmerge_core.data import data_facts, keep_data_file
from softmerge_core.data.forms import form_called, forms
from softmerge_core.data.importing import Wishes, found_place, import_data
from softmerge_core.settings import parse
from softmerge_core.zoo import slug


def data_add(file: str) -> None:
    """Check a file of samples, keep it where the app offers it, and print what is known of it."""
    path = Path(file)
    kept = keep_data_file(path, path.name, slug(path.stem, "data"))
    show({"path": str(kept), **plain(data_facts(kept))})


def data_forms() -> None:
    """Print every form in which data can be brought in."""
    show(
        [
            {
                "form": form.name,
                "title": form.title,
                "about": form.about,
                "downloads": form.fetch is not None,
                "found": str(found_place(form) or ""),
                "options": list(form.uses),
            }
            for form in forms().values()
        ]
    )


def data_import(form: str, place: str | None, wishes: dict[str, Any], name: str) -> None:
    """Bring data of a form in from a place, or from where they are found or downloaded; print what is known of them.

    ``wishes``: fields of ``Wishes``; those that are None are left at their usual values.
    """
    found = form_called(form)
    said = {key: value for key, value in wishes.items() if value is not None}
    stem = slug(name or (Path(place).stem if place and found.fetch is None else found.title), "data")
    chosen = parse(Wishes, said, "data import")
    kept = import_data(found, Path(place).expanduser() if place else None, chosen, stem, tell=reporter())
    show({"path": str(kept), **plain(data_facts(kept))})


def reporter() -> Callable[[str, float | None], None]:
    """Progress on stderr: each thing that is done, and every tenth of it."""
    last = [""]

    def tell(what: str, share: float | None) -> None:
        line = what if share is None else f"{what}, {int(10 * share) * 10}\u00a0%"
        if line != last[0]:
            last[0] = line
            print(line, file=sys.stderr, flush=True)

    return tell
