"""Forms in which data come from elsewhere: one short file each, with a constant ``FORM``. Torch is loaded on use."""

import re
from functools import cache

from softmerge_core.data.forms.base import Asked, Form, Part, Raw
from softmerge_core.registry import discover, lookup

__all__ = ["Asked", "Form", "Part", "Raw", "form_called", "forms"]


@cache
def forms() -> dict[str, Form]:
    """Return every form by its name."""
    return discover("softmerge_core.data.forms", "FORM")


def form_called(name: str) -> Form:
    """Return the form of this name or title, however it is spelt (FashionMNIST, cifar-10); raises NotFoundError."""
    known = {_letters(alias): form for form in forms().values() for alias in (form.title, form.name)}
    found = known.get(_letters(name))
    return found if found is not None else lookup(forms(), name, "form of data")


def _letters(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
