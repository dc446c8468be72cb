"""What is wrong with values that do not fit a model, in a reader's words instead of pydantic's."""

import reprlib
from collections.abc import Sequence
from math import isfinite
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from softmerge_core.numbers import decimal_text

TOLD = 5  # wrong fields that one message names
EXPECTED = {  # the beginning of a pydantic error's type -> what was expected, from the limits that it tells
    "greater_than_equal": "at least {ge}",
    "greater_than": "more than {gt}",
    "less_than_equal": "at most {le}",
    "less_than": "less than {lt}",
    "int": "a whole number",
    "float": "a number",
    "finite": "a finite number",
    "bool": "true or false",
    "string_unicode": "text of valid letters",
    "string": "text",
    "literal": "{expected}",
    "enum": "{expected}",
    "json": "valid JSON ({error})",
    "too_short": "at least {min_length} of them",
    "too_long": "at most {max_length} of them",
    "tuple": "a list",
    "list": "a list",
    "dict": "names with values",
    "model": "names with values",
}


def problems(model: type[BaseModel], error: ValidationError) -> str:
    """Return the first few wrong fields in words, each with what was expected and the beginning of what was got."""
    found = error.errors(include_url=False)
    told = [": ".join(filter(None, (_field(model, item["loc"]), _wrong(item)))) for item in found[:TOLD]]
    return "; ".join(told) + (f"; and {len(found) - TOLD:,} more" if len(found) > TOLD else "")


def _field(model: type[BaseModel], place: Sequence[int | str]) -> str:
    """The title of a field, and its name or path in the JSON where that is another; "" for no field."""
    path, title = ".".join(map(str, place))[:120], ""
    inside: Any = model
    for part in place:
        field = inside.model_fields.get(str(part)) if inside else None
        title = (field.title or "") if field else title if isinstance(part, int) else ""
        inside = _model_in(field.annotation) if field else inside if isinstance(part, int) else None
    same = not title or title.lower().replace(" ", "_") == path
    return (title or path) if same else f"{title} ({path})"


def _model_in(annotation: Any) -> Any:
    """The model among the types that a field may hold, or None."""
    types = (annotation, *get_args(annotation))
    return next((found for found in types if isinstance(found, type) and issubclass(found, BaseModel)), None)


def _wrong(item: Any) -> str:
    """What is wrong with one field, in a reader's words instead of pydantic's."""
    kind, about = item["type"], item.get("ctx", {})
    if kind == "extra_forbidden":
        return "there is no such setting"
    if kind == "missing":
        return "expected a value, got none"
    if kind in ("value_error", "assertion_error"):
        said = str(about.get("error", item["msg"]))[:200]
        return said if "got " in said else f"{said}, got {_short(item['input'])}"
    wanted = next((text for start, text in EXPECTED.items() if kind.startswith(start)), "")
    known = {key: decimal_text(value) if isinstance(value, float) else f"{value}" for key, value in about.items()}
    return f"expected {wanted.format_map(known)[:200] if wanted else 'another value'}, got {_short(item['input'])}"


def _short(value: object) -> str:
    try:
        if isinstance(value, float) and isfinite(value):
            return decimal_text(value)
        return repr(value[:80]) if isinstance(value, str) else "none" if value is None else reprlib.repr(value)[:80]
    except ValueError:  # a number of thousands of digits
        return "a huge number"
