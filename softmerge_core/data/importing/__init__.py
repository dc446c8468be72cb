"""From any form of data to one checked ``.npz`` that is kept: the work is done by a process of its own, with limits."""

from softmerge_core.data.importing.bringing import import_data
from softmerge_core.data.importing.places import found_place
from softmerge_core.data.importing.wishes import Wishes

__all__ = ["Wishes", "found_place", "import_data"]
