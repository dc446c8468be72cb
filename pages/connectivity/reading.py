"""The titles of the models between which a run walks, and its paths."""

from typing import cast

from pages.shared.runs.reader import RunReader
from softmerge_core.errors import SoftMergeError
from softmerge_core.events import WeightPath
from softmerge_core.experiments.connectivity.spec import ConnectivitySpec
from softmerge_core.settings import SourceSpec
from softmerge_core.zoo import LibraryModel, find_source


def titles_of(reader: RunReader) -> list[str]:
    """The titles of a run's models: from, to and, where there is one, the third."""
    return [model_title(source) for source in cast("ConnectivitySpec", reader.view.spec).sources]


def model_title(source: SourceSpec) -> str:
    """A model's title; the name of one that was deleted since."""
    try:
        origin = find_source(source.model)
    except SoftMergeError:
        origin = None
    name = source.model.rpartition("/")[2]
    if origin is None or isinstance(origin, LibraryModel):
        return origin.title if origin else name
    info = origin.model(name)
    return info.title if info else name


def paths_of(reader: RunReader) -> dict[str, WeightPath]:
    """The paths of a run by series."""
    return {event.series: event for event in reader.events if isinstance(event, WeightPath)}
