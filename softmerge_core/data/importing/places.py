"""Where original files are found without being told: downloaded before, or from a package of the system."""

import tempfile
from pathlib import Path

from softmerge_core.data.forms.base import Form
from softmerge_core.errors import DataError
from softmerge_core.home import home


def downloads_folder() -> Path:
    """Return the folder of what was downloaded; it may not exist yet."""
    return home() / "downloads"


def found_place(form: Form) -> Path | None:
    """Return the folder in which a form's original files lie already, or None."""
    places = [downloads_folder() / form.name, *map(Path, form.places)]
    return next((place for place in places if place.is_dir()), None)


def download(form: Form) -> Path:
    """Download a form's files, whole or not at all, and return their folder; raises DataError."""
    if form.fetch is None:
        raise DataError(f"{form.title}: there is nothing to download; name the {form.takes}. {form.about}")
    folder = downloads_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".new-", dir=folder, ignore_cleanup_errors=True) as aside:
            new = Path(aside) / form.name
            new.mkdir()
            form.fetch(new)
            new.replace(folder / form.name)
    except OSError as error:
        raise DataError(f"{form.title}: the download could not be kept ({error.strerror or error})") from error
    return folder / form.name
