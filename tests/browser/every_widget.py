"""Every widget of a page as the server tells it to browsers: what it shows, and another value that it may have."""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from playwright.sync_api import Page, WebSocket
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from streamlit.runtime.state.common import user_key_from_element_id

from tests.browser.visitor import Visitor

Widgets = Mapping[str, tuple[str, Any]]  # by id: the type of the element, and the element
# What they hold is gone after the press, or lies on the reader's machine.
PRESSED = ("button", "download_button", "file_uploader")
ROUNDS = 3  # a value may bring new widgets, as a poison its strength
SMALL = "Spirals"  # of families of networks: small ones, so that nobody waits for what is measured of them


def key_of(name: str) -> str:
    """The key by which a page calls the widget of that id; "" where it has none."""
    return user_key_from_element_id(name) or ""


def shown(kind: str, element: Any) -> Any:
    """What a widget shows."""
    return SHOWN[kind](element)


def _number(element: Any) -> float | None:
    place = "value" if element.set_value else "default"
    return float(getattr(element, place)) if element.HasField(place) else None


def _option(element: Any) -> str | None:
    first = element.options[element.default] if element.options else None
    return element.raw_value if element.set_value else first


def _options(element: Any) -> list[str]:
    first = [options(element)[int(place)] for place in element.default]
    raw = element.raw_value if hasattr(element, "raw_value") else element.raw_values
    return sorted(raw if element.set_value else first)


def _rows(element: Any) -> list[int]:
    return sorted(json.loads(element.selection_default or "{}").get("selection", {}).get("rows", []))


def options(element: Any) -> list[str]:
    """The choices of a widget, as its reader sees them."""
    return [getattr(option, "content", option) for option in element.options]


def parts(element: Any) -> dict[str, str]:
    """What a strip of layers shows of each layer; nothing of other components."""
    found: dict[str, str] = data_of(element).get("choices") or {}
    return found


def data_of(element: Any) -> dict[str, Any]:
    """The data that a component draws."""
    found = json.loads(element.json) if element.json else {}
    return found if isinstance(found, dict) else {}


SHOWN: dict[str, Callable[[Any], Any]] = {  # by the type of an element, what it shows
    "checkbox": lambda element: element.value if element.set_value else element.default,
    "text_input": lambda element: element.value if element.set_value else element.default,
    "number_input": _number,
    "selectbox": _option,
    "multiselect": _options,
    "button_group": _options,
    "slider": _options,
    "dataframe": _rows,
    "bidi_component": parts,
}
OTHER: dict[str, Callable[[Any, Any], Any]] = {  # the same, to another value than that; None where there is none
    "checkbox": lambda element, now: not now,
    "text_input": lambda element, now: "20, 50",
    "number_input": lambda element, now: (
        30 if now is None else now + 1 if element.data_type == element.INT else now / 2 or element.step
    ),
    "selectbox": lambda element, now: next(
        (option for option in sorted(element.options, key=lambda text: SMALL not in text) if option != now), None
    ),
    "multiselect": lambda element, now: [option for option in element.options if option not in now][:1] or None,
    "button_group": lambda element, now: [option for option in options(element) if [option] != now][-1:] or None,
    "slider": lambda element, now: [element.options[-2]],
    "dataframe": lambda element, now: [0, 1],
    "bidi_component": lambda element, now: {**now, next(iter(now)): "average"} if now else None,
}


def possible(element: Any, value: Any) -> bool:
    """Whether a widget offers that value, where it offers some."""
    wanted = value if isinstance(value, list) else [value]
    return not hasattr(element, "options") or set(wanted) <= set(options(element))


def state(name: str, kind: str, value: Any) -> WidgetState:
    """A value as a browser sends it."""
    made = WidgetState(id=name)
    match kind:
        case "checkbox":
            made.bool_value = value
        case "number_input":
            made.double_value = value
        case "selectbox" | "text_input" | "text_area":
            made.string_value = value
        case "multiselect" | "button_group" | "slider":
            made.string_array_value.data.extend(value)
        case "bidi_component":
            made.json_value = json.dumps({"choices": {"count": 1, "choices": value}})
        case _:
            made.string_value = json.dumps({"selection": {"rows": value, "columns": [], "cells": []}})
    return made


def of_pages(widgets: Widgets) -> dict[str, tuple[str, str, Any]]:
    """By key: the id, the type and the element of every widget that holds a value."""
    found = {key_of(name): (name, kind, element) for name, (kind, element) in widgets.items() if kind not in PRESSED}
    return {key: each for key, each in found.items() if each[1] != "bidi_component" or parts(each[2])}


def change_all(
    visitor: Visitor, page: str, query: str, kept: Iterable[str]
) -> tuple[dict[str, Any], list[WidgetState]]:
    """Give every widget of a page another value; returns what all show then, and the values as a browser sends them.

    ``kept``: the keys of those that stay as they are.
    """
    visitor.open(page, query)
    values: dict[str, tuple[str, str, Any]] = {}
    for _ in range(ROUNDS):
        every = of_pages(visitor.widgets)
        values = {key: each for key, each in values.items() if key in every and possible(every[key][2], each[2])}
        told = {key: every[key] for key in values if _told(every[key][2])}  # which a browser takes over
        values |= {key: (name, kind, shown(kind, element)) for key, (name, kind, element) in told.items()}
        new = {
            key: (name, kind, OTHER[kind](element, shown(kind, element)))
            for key, (name, kind, element) in every.items()
            if key not in values and key not in kept
        }
        values |= {key: each for key, each in new.items() if each[2] is not None}
        values |= {key: (*values[key][:2], values[key][2] - 2) for key in values if _refused(visitor, every[key][2])}
        states = [state(*each) for each in values.values()]
        visitor.open(page, query, states)
    there = of_pages(visitor.widgets)
    said = {key: shown(kind, element) for key, (_, kind, element) in there.items()}
    sent = {key: each[2] for key, each in values.items() if key in there and not _told(there[key][2])}
    return said | sent, states


def _refused(visitor: Visitor, element: Any) -> bool:
    """Whether the page says that the number in a field is not possible."""
    return any(said.startswith(f"{getattr(element, 'label', None)} can be") for said in visitor.told)


def _told(element: Any) -> bool:
    """Whether the server has told a widget another value than it was sent."""
    return bool(getattr(element, "set_value", False))


class Listener:
    """Notes what a page in a browser is told; ``widgets`` as those of a ``Visitor``.

    As a context manager it listens to the sockets that are opened meanwhile.
    """

    def __init__(self, page: Page) -> None:
        self.widgets: dict[str, tuple[str, Any]] = {}
        self._page = page

    def __enter__(self) -> "Listener":
        self._page.on("websocket", self._listen)
        return self

    def __exit__(self, *_: object) -> None:
        self._page.remove_listener("websocket", self._listen)

    def _listen(self, socket: WebSocket) -> None:
        socket.on("framereceived", self._take)

    def _take(self, payload: str | bytes) -> None:
        message = ForwardMsg()
        message.ParseFromString(payload if isinstance(payload, bytes) else payload.encode())
        if message.WhichOneof("type") == "new_session" and not message.metadata.run.fragment_ids:
            self.widgets = {}
        if message.WhichOneof("type") == "delta" and message.delta.WhichOneof("type") == "new_element":
            kind = message.delta.new_element.WhichOneof("type")
            element = getattr(message.delta.new_element, kind) if kind else None
            if getattr(element, "id", ""):
                self.widgets[element.id] = (kind, element)
