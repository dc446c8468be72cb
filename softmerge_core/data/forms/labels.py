"""A column of labels, as numbers or as words, becomes classes."""

import math
from typing import Any

import numpy as np

from softmerge_core.data.base import MAX_CLASSES
from softmerge_core.errors import DataError, short

MISSING = ("", "na", "n/a", "nan", "null", "none", "?")
FEW = 100  # so many classes are always believed; more of them must be in two rows each, on average


def read_labels(column: Any, label: str, called: str) -> tuple[list[str], np.ndarray]:
    """Return the names of the classes and labels int64 [N], -1 where one is missing; ``column``: texts, of pandas.

    Whole numbers are ordered as numbers, words by the alphabet. Raises DataError where they are no classes.
    """
    texts = column.str.strip()
    texts = texts.where(~texts.str.lower().isin(MISSING))
    distinct = texts.dropna().unique().tolist()
    if not distinct:
        raise DataError(f"{called}: column {short(label)!r} holds no labels")
    if all(map(is_number, distinct)):
        texts = texts.map(_whole_numbers(distinct, label, called))
        names = sorted(set(texts.dropna()), key=int)
    else:
        names = sorted(distinct)
    if len(names) > MAX_CLASSES or (len(names) > FEW and 2 * len(names) > len(texts)):
        raise DataError(
            f"{called}: column {short(label)!r} holds {len(names):,} different labels in {len(texts):,} rows: "
            "expected few classes; name another column of labels"
        )
    places = {name: number for number, name in enumerate(names)}
    return [short(name, 100) or "?" for name in names], texts.map(places).fillna(-1).to_numpy(np.int64)


def is_number(text: str) -> bool:
    """Whether a text is a number, as Python reads them."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def _whole_numbers(distinct: list[str], label: str, called: str) -> dict[str, str]:
    """Return, for each text, its number in its usual spelling; raises DataError where one is not whole."""
    values = {text: float(text) for text in distinct}
    odd = [text for text, value in values.items() if not math.isfinite(value) or value != round(value)]
    if odd:
        raise DataError(
            f"{called}: column {short(label)!r} holds numbers that are not whole, as {short(odd[0])!r}: "
            "expected a class for each row; name another column of labels"
        )
    return {text: str(int(value)) for text, value in values.items()}
