"""The pictures of one moment of a film as the browser draws them, and what had happened until then."""

from functools import lru_cache
from pathlib import Path
from typing import Any

from pages.merge.moments import PastReader, film_of, since
from pages.merge.pictures import BOUNDARY, GATES, SHARES
from pages.shared.runs.services import run_store
from softmerge_core.errors import NotFoundError
from softmerge_core.experiments import Spec
from softmerge_core.figures.style import THEMES
from softmerge_core.runs import RunView
from softmerge_core.runs.store import read_spec

NOTHING: dict[str, Any] = {}


def moment_figures(
    run_id: str, place: int, *, theme: str, opened: tuple[str, ...] = (), wanted: str = ""
) -> dict[str, Any]:
    """The moment at ``place`` in the film of a run: its step, the figures as JSON by the key of their chart, and words.

    ``opened`` and ``wanted`` as in ``deep_rows``. Raises SoftMergeError where there is no such run, moment or theme.
    """
    folder = run_store().folder(run_id)
    film = film_of(run_id)
    if film is None or place >= len(film.moments) or theme not in THEMES:
        raise NotFoundError(f"run {run_id!r} has no moment {place} in the theme {theme[:20]!r}")
    past: Any = PastReader(film, place, RunView(run_id, _spec(folder), "running", (), 0, None, None))
    rows: dict[str, Any] = {"opened": opened, "wanted": wanted}
    figures = {}
    for picture, chosen in ((GATES, rows), (SHARES, rows), (BOUNDARY, NOTHING)):
        if (figure := picture.figure(past, theme, **chosen)) is not None:
            figures[figure.key] = figure.text
    return {"step": past.step, "figures": figures, "said": since(film, place)}


@lru_cache(maxsize=100)  # a run keeps its spec
def _spec(folder: Path) -> Spec:
    return read_spec(folder)
