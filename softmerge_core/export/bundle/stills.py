"""The pictures of a merge for a bundle that no browser sent any for: drawn here, where an exporter is installed."""

from pathlib import Path

from softmerge_core.events import Boundary, Points
from softmerge_core.experiments.merge.kept import kept_network
from softmerge_core.export.bundle.manifest import FIGURES, LeftOut
from softmerge_core.export.bundle.pictures import checked
from softmerge_core.export.replay.frames import THEME, whole_log
from softmerge_core.figures.accuracy import accuracy_figure
from softmerge_core.figures.boundary import boundary_figure
from softmerge_core.figures.gates import gates_figure
from softmerge_core.figures.losses import losses_figure
from softmerge_core.figures.shares import shares_figure
from softmerge_core.figures.still import PACKAGE, stills
from softmerge_core.runs import files
from softmerge_core.runs.film import Film
from softmerge_core.runs.store import RunView

KIND = "merge"
TALL, LOW = 400, 360  # px
NONE = LeftOut(
    file=FIGURES,
    why="a browser draws pictures: press Bundle on the run's page, or for merges install "
    f"{PACKAGE} and a Chrome beside this project",
)


def still_files(view: RunView, folder: Path) -> dict[str, bytes]:
    """The pictures of the merge in ``folder`` at its last moment; none for other kinds, or without an exporter."""
    if view.spec.kind != KIND:
        return {}
    film, events = Film(folder / files.EVENTS), whole_log(folder / files.EVENTS)
    last = film.at(len(film.moments) - 1) if film.moments else []
    plane = [event for event in last if isinstance(event, (Boundary, Points))]
    kept = kept_network(view.result, events)
    drawn = {
        "gates": (gates_figure(last, theme=THEME, height=TALL), TALL),
        "accuracy": (accuracy_figure(events, theme=THEME, height=TALL, kept=kept), TALL),
        "shares": (shares_figure(last, theme=THEME, height=LOW), LOW),
        "losses": (losses_figure(events, theme=THEME, kept=kept), LOW),
        "boundary": (boundary_figure(plane, theme=THEME), LOW),
    }
    made = stills({name: (figure, height) for name, (figure, height) in drawn.items() if figure is not None})
    return {f"{FIGURES}{name}": checked(name, content) for name, content in made.items()}
