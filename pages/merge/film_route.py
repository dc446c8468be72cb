"""Where the browser fetches the moments of a film: a run of the page's script takes longer than the eye waits."""

import importlib
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from pages.shared.show.addresses import own_address
from softmerge_core.errors import SoftMergeError

FOLDER = "app/film"  # as the page tells it (replay.py)
LONGEST = 4000  # letters of a question: of a deep network many rows may be open
FRESH = {"Cache-Control": "no-store"}  # the browser's script keeps moments by itself


def film_route() -> Route:
    """Return the route of the moments, for ``st.App(routes=[...])``: ``app/film/<run>/<place>?theme=light``."""
    return Route(own_address(f"{FOLDER}/{{run_id}}/{{place:int}}"), _send)


def _send(request: Request) -> JSONResponse:
    """A moment as JSON; 404 with a sentence where there is none. It is no coroutine: threads do such work."""
    asked = request.query_params
    try:
        if len(str(request.url.query)) > LONGEST:
            raise IndexError
        moments: Any = importlib.import_module("pages.merge.moment_figures")  # it knows the pages' components
        answer = moments.moment_figures(
            request.path_params["run_id"],
            request.path_params["place"],
            theme=asked.get("theme", "light"),
            opened=tuple(asked.getlist("opened")),
            wanted=asked.get("wanted", ""),
        )
    except (SoftMergeError, IndexError, OSError):
        return JSONResponse({"problem": "There is no such moment."}, status_code=404, headers=FRESH)
    return JSONResponse(answer, headers=FRESH)
