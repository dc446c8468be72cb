"""A figure as it was drawn: what the browser is sent, and the figure itself packed up.

The objects of one figure take some 70 kB, packed up with its JSON 4 kB. Each session keeps those of the run it shows.
"""

import hashlib
import json
import pickle
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from softmerge_core.figures.compact import compact

FAST = 1  # the level of packing: a tenth of a millisecond for a figure
_DRAWN = "_softmerge_drawn"  # where a figure that somebody keeps has what was drawn of it


@dataclass(frozen=True, eq=False)
class DrawnFigure:
    """What is drawn in the chart called ``key``; ``theme``: what the figure was built for, None if for any.

    ``values``: the name of the file of its values, equal for equal JSON. ``written``: the JSON, ``packed``: the figure.
    """

    key: str
    theme: str | None
    values: str
    written: bytes
    packed: bytes

    @property
    def text(self) -> str:
        """The JSON that the browser is sent."""
        return zlib.decompress(self.written).decode()

    def figure(self) -> go.Figure:
        """The figure with all its digits, made again."""
        return go.Figure(pickle.loads(zlib.decompress(self.packed)))

    @property
    def size(self) -> int:
        """Bytes that it takes, nearly."""
        return len(self.written) + len(self.packed)


def drawn_figure(figure: go.Figure, key: str) -> DrawnFigure:
    """What is drawn of ``figure`` in the chart called ``key``; it must not be changed any more from then on."""
    kept = vars(figure)
    known = kept.get(_DRAWN)
    if not isinstance(known, DrawnFigure) or known.key != key:
        known = kept[_DRAWN] = _written(figure, key)
    return known


def _written(figure: go.Figure, key: str) -> DrawnFigure:
    text = json.dumps(compact(figure, key), separators=(",", ":"), allow_nan=False).encode()
    name = f"values-{hashlib.sha256(text).hexdigest()}.csv"
    written, packed = (zlib.compress(each, FAST) for each in (text, pickle.dumps(_plain(figure))))
    return DrawnFigure(key, _theme(figure), name, written, packed)


def _plain(figure: go.Figure) -> dict[str, Any]:
    """Data and layout as they are; ``to_dict`` would write numbers as base64."""
    return {"data": [trace.to_plotly_json() for trace in figure.data], "layout": figure.layout.to_plotly_json()}


def _theme(figure: go.Figure) -> str | None:
    meta = figure.layout.meta
    return str(meta["theme"]) if isinstance(meta, Mapping) and "theme" in meta else None
