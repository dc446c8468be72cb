"""Where something stands in the record of a run: names and places joined by dots."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from softmerge_core.errors import SettingsError


def found_at(record: Any, place: str) -> Any:
    """What stands at ``place``, as "accuracy.sources.2"; raises SettingsError where there is nothing.

    "name=text" stands for the first of a list of records in which ``name`` is ``text``, wherever in the list it is.
    """
    found = record
    for name in place.split("."):
        found = _inside(found, name, place)
    return found


def number_at(record: Any, place: str) -> float:
    """The number that stands there; raises SettingsError where there is none."""
    return _number(found_at(record, place), place)


def numbers_at(record: Any, place: str) -> list[float]:
    """The list of numbers that stands there, those of lists within it one after the other; raises SettingsError."""
    return _flat(found_at(record, place), place)


def _inside(found: Any, name: str, place: str) -> Any:
    if isinstance(found, Mapping) and name in found:
        return found[name]
    if isinstance(found, Sequence) and not isinstance(found, str):
        key, apart, text = name.partition("=")
        if apart:
            for one in found:
                if isinstance(one, Mapping) and str(one.get(key)) == text:
                    return one
        elif name.isdecimal() and int(name) < len(found):
            return found[int(name)]
    raise SettingsError(f"{place}: expected a number of the run's result, found no {name!r} there")


def _number(found: Any, place: str) -> float:
    if isinstance(found, bool) or not isinstance(found, int | float) or not isfinite(found):
        raise SettingsError(f"{place}: expected a number of the run's result, got {type(found).__name__}")
    return float(found)


def _flat(found: Any, place: str) -> list[float]:
    if isinstance(found, str) or not isinstance(found, Sequence):
        return [_number(found, place)]
    return [number for one in found for number in _flat(one, place)]
