"""A visitor without a browser: a WebSocket client that opens a page and sends whatever widget values it is told to."""

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.sync.client import ClientConnection, connect

PATIENCE = 90.0  # seconds for one run of a page
LARGEST = 64 * 2**20


class Visitor:
    """One session of the app at ``address`` (http://...).

    ``widgets``: by id, the type and the element of every widget that its last run has drawn.

    ``told``: the texts of the warnings and errors of that run.

    ``errors``: the texts of the error screens that it was ever shown. As a context manager it closes its tab.
    """

    def __init__(self, address: str) -> None:
        self.errors: list[str] = []
        self.widgets: dict[str, Any] = {}
        self.told: list[str] = []
        self.title = ""
        self._known: dict[str, ForwardMsg] = {}
        opened = connect(
            f"ws{address.removeprefix('http')}/_stcore/stream",
            origin=address,  # type: ignore[arg-type]
            subprotocols=["streamlit"],  # type: ignore[list-item]
            max_size=LARGEST,
            open_timeout=PATIENCE,
        )

        self._tab = ExitStack()
        self._socket: ClientConnection = self._tab.enter_context(opened)

    def __enter__(self) -> "Visitor":
        return self

    def __exit__(self, *_: object) -> None:
        self._tab.close()

    def open(self, page: str = "", query: str = "", states: Sequence[WidgetState] = ()) -> "Visitor":
        """Let the page run with this query and these values of widgets, and wait until it is through."""
        message = BackMsg()
        state = message.rerun_script
        state.page_name, state.query_string = page, query
        state.widget_states.widgets.extend(states)
        self._socket.send(message.SerializeToString())
        self.widgets, self.told = {}, []
        while not self._take(self._received()):
            pass
        return self

    def _received(self) -> ForwardMsg:
        message = ForwardMsg()
        data = self._socket.recv(timeout=PATIENCE)
        message.ParseFromString(data if isinstance(data, bytes) else data.encode())
        if message.WhichOneof("type") == "ref_hash":
            return self._known[message.ref_hash]
        if message.hash:
            self._known[message.hash] = message
        return message

    def _take(self, message: ForwardMsg) -> bool:
        """Remember what is drawn; returns whether the page is through."""
        kind = message.WhichOneof("type")
        if kind == "page_config_changed":
            self.title = message.page_config_changed.title
        if kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            name = message.delta.new_element.WhichOneof("type")
            element = getattr(message.delta.new_element, name) if name else None
            if name == "exception":
                self.errors.append(f"{element.type}: {element.message}")
            if name == "alert":
                self.told.append(element.body)
            if getattr(element, "id", ""):
                self.widgets[element.id] = (name, element)
        return kind == "script_finished" and message.script_finished in (
            ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_WITH_COMPILE_ERROR,
        )  # fmt: skip
