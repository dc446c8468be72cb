"""The one way by which networks, data sets, experiments and methods are found.

A member is one module of a package that defines a constant of the agreed name; nothing else has to change.
"""

import importlib
import pkgutil
from typing import Any

from softmerge_core.errors import NotFoundError


def discover(package: str, constant: str) -> dict[str, Any]:
    """Map ``member.name`` to member, for every module of ``package`` that defines ``constant``, by name.

    A module may define a tuple of members under the constant.
    """
    members: dict[str, Any] = {}
    root = importlib.import_module(package)
    for info in sorted(pkgutil.iter_modules(root.__path__), key=lambda info: info.name):
        found = getattr(importlib.import_module(f"{package}.{info.name}"), constant, ())
        for member in found if isinstance(found, tuple) else (found,):
            members[member.name] = member
    return dict(sorted(members.items()))


def lookup(members: dict[str, Any], name: str, what: str) -> Any:
    """The member called ``name``; raises NotFoundError that lists the known names."""
    if name not in members:
        raise NotFoundError(f"unknown {what} {name!r}; expected one of: {', '.join(members) or 'none'}")
    return members[name]
