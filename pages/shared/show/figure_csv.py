"""The values of a figure as a file, which the server hands out when they are asked for: all of them, with all digits.

A browser is sent five digits of each, which is enough to draw them.
"""

from collections import OrderedDict
from threading import Lock
from weakref import WeakValueDictionary

import plotly.graph_objects as go
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pages.shared.show.drawn_figure import DrawnFigure
from pages.shared.show.plotly_script import address_of
from softmerge_core.experiments.tables import as_csv
from softmerge_core.figures.values import figure_values

KEPT = 2**20  # bytes of the figures that were drawn last, of all sessions together
_LAST: OrderedDict[str, DrawnFigure] = OrderedDict()
# All that somebody still holds, as sessions do those of the run that they show.
_HELD: WeakValueDictionary[str, DrawnFigure] = WeakValueDictionary()
_LOCK = Lock()


def hand_out(figure: DrawnFigure) -> None:
    """Let the values of a figure be had under its name."""
    with _LOCK:
        _HELD[figure.values] = _LAST[figure.values] = figure
        _LAST.move_to_end(figure.values)
        while len(_LAST) > 1 and sum(each.size for each in _LAST.values()) > KEPT:
            _LAST.popitem(last=False)


def values_route() -> Route:
    """Return the route of such files, for ``st.App(routes=[...])``. Only who was sent a figure knows its name."""
    return Route(address_of("{name}.csv"), _send)


def values_csv(figure: go.Figure) -> str:
    """The values as CSV, safe for spreadsheets."""
    return as_csv(*figure_values(figure), exact=True)


async def _send(request: Request) -> Response:
    with _LOCK:
        figure = _HELD.get(f"{request.path_params['name']}.csv")
    if figure is None:
        return Response("forgotten", status_code=404, media_type="text/plain")
    return Response(values_csv(figure.figure()), media_type="text/csv", headers={"Cache-Control": "no-store"})
