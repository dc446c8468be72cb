"""Forms built from settings models: title, help, limits and choices all come from the fields themselves.

A new field of a settings model needs no change here or in any page.
"""

import math
import typing
from collections.abc import Callable, Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal, get_args, get_origin

import streamlit as st
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from streamlit.delta_generator import DeltaGenerator

from pages.shared.show.page_state import asked_text, refuse_value
from pages.shared.show.text import plain
from softmerge_core.experiments.words import clipped
from softmerge_core.numbers import decimal_text
from softmerge_core.settings import number_kind

Option = typing.TypeVar("Option")
FEW = 5  # so many short choices are shown side by side
SHORT = 9  # letters
ACRONYMS = {"sgd": "SGD", "nan": "NaN"}


def settings_form(
    model: type[BaseModel],
    *,
    prefix: str = "",
    fields: Sequence[str] | None = None,
    columns: int = 2,
    defaults: Mapping[str, Any] | None = None,
    bind: bool = True,
    offered: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, Any]:
    """Widgets for ``fields`` of ``model`` (all by default); returns their values by field name.

    A widget's key, and with ``bind`` its name in the page's address, is ``prefix`` and the field's name; values
    outlive a change of page. The values are not checked against each other: ``settings.parse`` does that. Of a text
    field in ``offered`` one of these texts is chosen; another one that the address asks for stays, and is told.
    """
    names = list(model.model_fields) if fields is None else list(fields)
    values, grid = {}, _Grid(columns)
    for name in names:
        field = model.model_fields[name]
        default = (defaults or {}).get(name, field.get_default(call_default_factory=True))
        with grid.cell(wide=_choices(field.annotation) is not None):
            values[name] = _widget(name, field, default, prefix + name, bind, (offered or {}).get(name), grid.told)
    return values


def form_state(values: BaseModel, *, prefix: str = "", fields: Sequence[str] | None = None) -> dict[str, Any]:
    """The inverse of ``settings_form``: what the keys of its widgets hold when it is to return these ``values``."""
    model = type(values)
    names = list(model.model_fields) if fields is None else list(fields)
    return {prefix + name: _held(model.model_fields[name], getattr(values, name)) for name in names}


def _held(field: FieldInfo, value: Any) -> Any:
    """What the widget of a field holds for a value."""
    kind = number_kind(field.annotation)
    if value is None or _choices(field.annotation) is not None or field.annotation is bool:
        return value
    return kind(value) if kind else _as_text(value)


def main_fields(model: type[BaseModel], skip: Collection[str] = ()) -> list[str]:
    """The fields a form shows at once."""
    return [name for name, field in model.model_fields.items() if not _more(field) and name not in skip]


def more_fields(model: type[BaseModel], skip: Collection[str] = ()) -> list[str]:
    """The fields a form keeps behind "More"."""
    return [name for name, field in model.model_fields.items() if _more(field) and name not in skip]


def _more(field: FieldInfo) -> bool:
    extra = field.json_schema_extra
    return bool(extra.get("more")) if isinstance(extra, dict) else False


class _Grid:
    """Cells in rows of ``columns``; a wide cell has a row of its own. ``told``: the place under the newest row."""

    def __init__(self, columns: int) -> None:
        self.columns, self.row = columns, []  # type: tuple[int, list[Any]]
        self.told: DeltaGenerator | None = None

    def cell(self, *, wide: bool) -> Any:
        if wide:
            self.row, self.told = [], None
            return st.container()
        if not self.row:
            self.row = list(st.columns(self.columns, gap="small", vertical_alignment="bottom"))
            self.told = st.container(gap="xsmall")  # a message in a cell would move the cells beside it
        return self.row.pop(0)


def _widget(
    name: str,
    field: FieldInfo,
    default: Any,
    key: str,
    bind: bool,
    offered: Sequence[str] | None = None,
    told: DeltaGenerator | None = None,
) -> Any:
    """The widget that fits the field's type; a number outside its limits is told in ``told``."""
    label, about = field.title or name.replace("_", " ").capitalize(), field.description
    common: dict[str, Any] = {"key": key, "help": about}
    common |= {"bind": "query-params"} if bind else {"persist_state": "session"}
    choices = _choices(field.annotation)
    if choices is not None:
        return _choice(label, choices, default, common)
    if field.annotation is bool:
        return st.toggle(label, value=default, **common)
    kind = number_kind(field.annotation)
    if kind is not None:
        return _number_input(label, kind, field, default, common, told)
    if offered is not None:
        return _offered(label, offered, str(default), common)
    hint = f"such as {_as_text(field.examples[0])}" if field.examples else None
    text = st.text_input(label, value=_as_text(default), placeholder=hint, **common)
    return _items(text) if get_origin(field.annotation) is tuple else text


def _choices(annotation: Any) -> tuple[Any, ...] | None:
    return get_args(annotation) if get_origin(annotation) is Literal else None


def _choice(label: str, choices: tuple[Any, ...], default: Any, common: dict[str, Any]) -> Any:
    options, named = list(choices), {**common, "format_func": choice_title}
    if len(choices) <= FEW and max(len(str(choice)) for choice in choices) <= SHORT:
        return one_of(st.segmented_control, label, options, default=default, **named)
    return one_of(st.selectbox, label, options, default=default, **named)


def _offered(label: str, offered: Sequence[str], default: str, common: dict[str, Any]) -> str:
    """One of the texts that are offered. What is asked for but not among them is shown, told, and left as it is."""
    asked = st.session_state.get(common["key"]) or st.query_params.get(common["key"])
    others = [] if asked is None or asked in offered else [str(asked)]
    options = [*offered, *others]
    chosen = str(one_of(st.selectbox, label, options, default=default, **common))
    if problem := not_offered(label, chosen, offered):
        st.error(plain(problem, 300), icon=":material/error:")
    return chosen


def not_offered(label: str, value: str, offered: Sequence[str]) -> str:
    """The sentence about a value that is not among those offered, or ""."""
    return "" if value in offered else f"{label}: {clipped(value, 40)} is not there; there are: {', '.join(offered)}."


def one_of(
    draw: Callable[..., Any], label: str, options: Sequence[Option], *, default: Option | None = None, **named: Any
) -> Option:
    """What ``draw`` (``st.selectbox``, ``st.pills`` or ``st.segmented_control``) gives: one of ``options``.

    Before anything is chosen that is the ``default``, or else the first. A page lets nobody choose none, or what is
    none of them, but a program that talks to the server may: that counts as the default. None without any options.
    """
    first: Any = default if default in options else next(iter(options), None)
    start: dict[str, Any] = {"default": first, "required": True}
    if draw is st.selectbox:
        start = {"index": options.index(first) if options else 0}
    chosen = draw(label, options, **start, **named)
    found: Option = chosen if chosen in options else first
    return found


def choice_title(choice: Any) -> str:
    """A choice as readers see it."""
    return ACRONYMS.get(str(choice), str(choice).replace("_", " ").capitalize())


def _number_input(
    label: str, kind: type, field: FieldInfo, default: Any, common: dict[str, Any], told: DeltaGenerator | None
) -> Any:
    options: dict[str, Any] = {"placeholder": "all", "told": told} if default is None else {"told": told}
    low, high = limits(field)
    value = None if default is None else kind(default)
    return number_field(label, kind, low, high, value=value, step=kind(step_of(kind, default)), **options, **common)


def number_field(
    label: str, kind: type, low: float | None, high: float | None, *, told: DeltaGenerator | None = None, **options: Any
) -> Any:
    """A number whose limits are told under it, or in ``told``: the browser's own field keeps the last value in silence.

    Returns the value, also one outside the limits, which is then told; who parses it refuses it.
    """
    _only_what_can_be(label, low, high, options)
    entered = st.number_input(label, format=number_format(kind, _coming(options)), **options)
    if problem := out_of_range(label, entered, low, high):
        (told or st).error(problem, icon=":material/error:")
    return entered


def _coming(options: Mapping[str, Any]) -> float | None:
    """The number that a field will show: the one that is set, that the address asks for, or its first."""
    key = str(options.get("key"))
    asked = _asked(key) if options.get("bind") else None
    shown: float | None = st.session_state.get(key, options.get("value") if asked is None else asked)
    return shown


def _asked(key: str) -> float | None:
    """The number that the address asks for, if it is one."""
    try:
        return float(asked_text(key) or "")
    except ValueError:
        return None


def _only_what_can_be(label: str, low: float | None, high: float | None, options: Mapping[str, Any]) -> None:
    """Let a field that an address asks for what cannot be begin as usual; of infinity Streamlit fails."""
    key = str(options.get("key"))
    asked = _asked(key) if options.get("bind") else None
    if asked is None or (key in st.session_state and math.isfinite(asked)):
        return
    if problem := out_of_range(label, asked, low, high) if math.isfinite(asked) else "no number":
        refuse_value(key, problem.rstrip("."))


def number_format(kind: type, value: float | None) -> str:
    """How a field shows numbers, six digits of each; a browser's own way writes those below a millionth as 1e-7."""
    if kind is int:
        return "%d"
    if not value or abs(value) >= 1e-6 or not math.isfinite(value):
        return "%.6g"
    return f"%.{-int(Decimal(f'{value:.6g}').normalize().as_tuple().exponent)}f"


def out_of_range(label: str, value: float | None, low: float | None, high: float | None) -> str:
    """The sentence about a value outside its limits, or ""."""
    if value is None or ((low is None or value >= low) and (high is None or value <= high)):
        return ""
    ends = [f"{word} {decimal_text(edge)}" for word, edge in (("at least", low), ("at most", high)) if edge is not None]
    return f"{label} can be {' and '.join(ends)}; {decimal_text(value)} is not possible."


def limits(field: FieldInfo) -> tuple[float | None, float | None]:
    """The lowest and highest value a field takes; a strict bound is moved by next to nothing."""
    low = high = None
    for limit in field.metadata:
        if (bound := getattr(limit, "ge", None)) is not None:
            low = bound
        if (bound := getattr(limit, "gt", None)) is not None:
            low = bound + 1e-6
        if (bound := getattr(limit, "le", None)) is not None:
            high = bound
        if (bound := getattr(limit, "lt", None)) is not None:
            high = bound - 1e-6
    return low, high


def step_of(kind: type, default: float | None) -> float:
    """How much a number changes at a click: a power of ten about a tenth to a half of its default."""
    if not default:
        return 1 if kind is int else 0.05
    step = 10.0 ** math.floor(math.log10(abs(default) / 2))
    return max(1, int(step)) if kind is int else step


def _as_text(value: Any) -> str:
    return ", ".join(map(_item_text, value)) if isinstance(value, (tuple, list)) else str(value)


def _item_text(item: Any) -> str:
    """An item as its reader would type it: a link shows a list of numbers as it was typed."""
    return str(item).removesuffix(".0") if isinstance(item, float) else str(item)


def _items(text: str) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()]
