"""The titles of the models between which a run walks, and its paths."""

from typing import cast

from pages.shared.runs.reader import RunReader
from softmerge_core.events import WeightPath
from softmerge_core.experiments.connectivity.spec import ConnectivitySpec
from softmerge_core.zoo import card_title


def titles_of(reader: RunReader) -> list[str]:
    """The titles of a run's models: from, to and, where there is one, the third."""
    return [card_title(source.model) for source in cast("ConnectivitySpec", reader.view.spec).sources]


def paths_of(reader: RunReader) -> dict[str, WeightPath]:
    """The paths of a run by series."""
    return {event.series: event for event in reader.events if isinstance(event, WeightPath)}
