"""Files that the server makes or hands out when a browser asks for them, beside the page's script.

Their addresses name the run or the model and nothing of a session: a press finds its file whatever the page is doing.
"""

import json
import logging
from collections.abc import Callable, Mapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pages.shared.choose.take_home import FAILURE, exported
from pages.shared.runs.bundles import BUNDLE, REPLAY, bundled, replayed
from pages.shared.runs.services import run_store
from pages.shared.show.addresses import own_address
from pages.shared.show.chart_pictures import LARGEST_SENT, read_pictures
from pages.shared.show.file_button import MADE
from softmerge_core.errors import NotFoundError, SoftMergeError
from softmerge_core.experiments.words import sentence
from softmerge_core.zoo import LIBRARY, library, library_folder
from softmerge_core.zoo.library import WEIGHTS

HEADER = "x-softmerge"  # which a page of another address cannot send
FRESH = {"Cache-Control": "no-store"}
Pictures = Mapping[str, bytes]
FORMS: dict[str, Callable[[str, Pictures], bytes]] = {
    BUNDLE: bundled,
    REPLAY: lambda what, _: replayed(what),
    "pt": lambda what, _: exported(what, "pt"),
    "zip": lambda what, _: exported(what, "zip"),
    "merged": lambda what, _: run_store().weights(what, "merged").read_bytes(),
    "gates": lambda what, _: run_store().weights(what, "gates").read_bytes(),
    "trained": lambda what, _: run_store().weights(what, "trained").read_bytes(),
    "weights": lambda what, _: (library_folder() / what.removeprefix(LIBRARY) / WEIGHTS).read_bytes(),
}


def made_route() -> Route:
    """Return the route of such files, for ``st.App(routes=[...])``: POST ``app/made/<form>/<run or library/model>``."""
    return Route(own_address(f"{MADE}/{{form}}/{{what:path}}"), _send, methods=["POST"])


async def _send(request: Request) -> Response:
    """The file; else a sentence as JSON: 400 for what no page sends, 404 where it cannot be made."""
    form, what = request.path_params["form"], request.path_params["what"]
    if form not in FORMS or HEADER not in request.headers:
        return _problem("There is no such file.", 400)
    try:
        sent = await _sent(request)
        return Response(await run_in_threadpool(made_file, form, what, sent), media_type="application/octet-stream")
    except SoftMergeError as error:
        return _problem(sentence(str(error))[:600], 404)
    except Exception:
        logging.getLogger(__name__).exception("file %s of %r", form, what)
        return _problem(sentence(FAILURE), 404)


def made_file(form: str, what: str, sent: Any = None) -> bytes:
    """The file of this form, of a run or a model of the reader's own; raises SoftMergeError, NotFoundError for others.

    ``sent``: what a browser sent as pictures.
    """
    if not what.startswith(LIBRARY):
        run_store().folder(what)  # it alone: a command would take a folder's path as well
    elif what.removeprefix(LIBRARY) not in library():
        raise NotFoundError("this model is no longer in your library")
    return FORMS[form](what, read_pictures(sent))


async def _sent(request: Request) -> Any:
    """The pictures that a browser sent; none where they are too many, or something else."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > LARGEST_SENT:
            return None
        parts.append(part)
    try:
        found = json.loads(b"".join(parts) or b"{}")
    except ValueError:
        return None
    return found.get("pictures") if isinstance(found, Mapping) else None


def _problem(told: str, status: int) -> Response:
    return JSONResponse({"problem": told}, status_code=status, headers=FRESH)
