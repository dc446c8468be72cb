"""The values of a figure as a file, which the server hands out when they are asked for: all of them, with all digits.

A browser is sent five digits of each, which is enough to draw them.
"""

import hashlib
from collections import OrderedDict
from threading import Lock

import plotly.graph_objects as go
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pages.shared.show.plotly_script import address_of
from softmerge_core.experiments.tables import as_csv
from softmerge_core.figures.values import figure_values

KEPT = 24 * 2**20  # characters of JSON of the figures that were drawn last, of all sessions together
_FIGURES: OrderedDict[str, tuple[go.Figure, int]] = OrderedDict()
_LOCK = Lock()


def values_name(figure: go.Figure, text: str) -> str:
    """Remember a figure, whose JSON is ``text``; returns the name under which its values are handed out."""
    known: str | None = vars(figure).get("_softmerge_values")
    if known is None:
        known = vars(figure)["_softmerge_values"] = f"values-{hashlib.sha256(text.encode()).hexdigest()}.csv"
    with _LOCK:
        _FIGURES[known] = figure, len(text)
        _FIGURES.move_to_end(known)
        while len(_FIGURES) > 1 and sum(size for _, size in _FIGURES.values()) > KEPT:
            _FIGURES.popitem(last=False)
    return known


def values_route() -> Route:
    """Return the route of such files, for ``st.App(routes=[...])``. Only who was sent a figure knows its name."""
    return Route(address_of("{name}.csv"), _send)


def values_csv(figure: go.Figure) -> str:
    """The values as CSV, safe for spreadsheets."""
    return as_csv(*figure_values(figure), exact=True)


async def _send(request: Request) -> Response:
    with _LOCK:
        found = _FIGURES.get(f"{request.path_params['name']}.csv")
    if found is None:
        return Response("forgotten", status_code=404, media_type="text/plain")
    return Response(values_csv(found[0]), media_type="text/csv", headers={"Cache-Control": "no-store"})
