"""A visitor without a browser: a WebSocket client that opens a page and sends whatever widget values it is told to."""

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.sync.client import ClientConnection, connect

PATIENCE = 90.0  # seconds for one run of a page
LARGEST = 64 * 2**20


class Visitor:
    """One session of the app at ``address`` (http://...); ``browser``: the random number by which a browser is known.

    ``polled``: by id, the seconds between two runs of each fragment that the browser is told to run again.

    ``widgets``: by id, the type and the element of every widget that its last run has drawn.

    ``told``: the texts of the warnings and errors of that run; ``texts``: all others since the last whole run.

    ``errors``: the texts of the error screens that it was ever shown. As a context manager it closes its tab.
    """

    def __init__(self, address: str, browser: bytes = b"") -> None:
        self.errors: list[str] = []
        self.widgets: dict[str, Any] = {}
        self.told: list[str] = []
        self.texts: list[str] = []
        self.polled: dict[str, float] = {}
        self.title = ""
        self._query = self._page = ""  # the address, and the page that the server has gone to
        self._known: dict[str, ForwardMsg] = {}
        opened = connect(
            f"ws{address.removeprefix('http')}/_stcore/stream",
            origin=address,  # type: ignore[arg-type]
            subprotocols=["streamlit"],  # type: ignore[list-item]
            max_size=LARGEST,
            additional_headers={"Cookie": f"_streamlit_xsrf=2|00000000|{browser.hex()}|0"} if browser else None,
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
        state = ClientState(page_name=page, query_string=query)
        state.widget_states.widgets.extend(states)
        return self._send(state)

    def change(self, *states: WidgetState, fragment: str = "") -> "Visitor":
        """Let the page where this visitor is run with other values, or one fragment of it, as polls do."""
        state = ClientState(page_script_hash=self._page, query_string=self._query, fragment_id=fragment)
        state.is_auto_rerun = bool(fragment)
        state.widget_states.widgets.extend(states)
        return self._send(state)

    def press(self, key: str) -> "Visitor":
        """Press the button with this key."""
        name = next(name for name, (_, element) in self.widgets.items() if name.endswith(f"-{key}"))
        return self.change(WidgetState(id=name, trigger_value=True))

    def _send(self, state: ClientState) -> "Visitor":
        self._socket.send(BackMsg(rerun_script=state).SerializeToString())
        self.told = []
        self._query = state.query_string
        if not state.fragment_id:
            self.widgets, self.polled, self.texts = {}, {}, []
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
        if kind == "new_session" and not message.metadata.run.fragment_ids:
            self.widgets, self.polled, self.texts = {}, {}, []
        if kind == "navigation":
            self._page = message.navigation.page_script_hash
        if kind == "page_info_changed":
            self._query = message.page_info_changed.query_string
        if kind == "auto_rerun":
            self.polled[message.auto_rerun.fragment_id] = message.auto_rerun.interval
        if kind == "page_config_changed":
            self.title = message.page_config_changed.title
        if kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            name = message.delta.new_element.WhichOneof("type")
            element = getattr(message.delta.new_element, name) if name else None
            if name == "exception":
                self.errors.append(f"{element.type}: {element.message}")
            if name == "alert":
                self.told.append(element.body)
            if name == "markdown":
                self.texts.append(element.body)
            if getattr(element, "id", ""):
                self.widgets[element.id] = (name, element)
        return kind == "script_finished" and message.script_finished in (
            ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_WITH_COMPILE_ERROR,
            ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY,
        )  # fmt: skip
