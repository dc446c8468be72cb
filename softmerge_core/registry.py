"""The one way in which networks, data sets, attacks, methods, algorithms and experiments are found.

A member is one module of a package that defines a constant of the agreed name; nothing else has to change.
"""

import ast
import importlib
import importlib.util
import pkgutil
import re
from collections.abc import Iterator
from importlib.abc import InspectLoader
from types import ModuleType
from typing import Any

from softmerge_core.errors import NotFoundError, SoftMergeError


def discover(package: str, constant: str) -> dict[str, Any]:
    """Return every member by its name, for every module of ``package`` that defines ``constant``.

    A module whose source does not name the constant is not imported, so that it may load whatever it likes. A module
    may define a tuple of members under the constant. Raises SoftMergeError where two have one name.
    """
    members: dict[str, Any] = {}
    origin: dict[str, str] = {}
    for module in _modules(package):
        if constant not in _source(module):
            continue
        found = getattr(_imported(module), constant, ())
        for member in found if isinstance(found, tuple) else (found,):
            if not isinstance(name := getattr(member, "name", None), str):
                raise SoftMergeError(
                    f"{module}: {constant}: expected a member with a name, got {type(member).__name__}"
                )
            add(members, name, member, module, origin)
    return dict(sorted(members.items()))


def declared(package: str, constant: str) -> dict[str, tuple[str, dict[str, Any]]]:
    """Return, by name, each member's module and the literal keywords of its ``constant = Class(name=..., ...)``.

    The modules are read but not imported, so that listing members loads nothing that they import. A keyword that is
    given a bare name, such as a function of the file, is left out. Raises SoftMergeError, naming file and keyword,
    where any other value is not written out as a literal.
    """
    members: dict[str, tuple[str, dict[str, Any]]] = {}
    origin: dict[str, str] = {}
    for module in _modules(package):
        call = _call(_source(module), module, constant)
        if call is not None:
            keywords = _literals(call, f"{module}: {constant}")
            add(members, keywords["name"], (module, keywords), module, origin)
    return dict(sorted(members.items()))


def lookup(members: dict[str, Any], name: str, what: str) -> Any:
    """Return the member called ``name``; raises NotFoundError, which lists the known names."""
    if name not in members:
        raise NotFoundError(f"unknown {what} {name[:80]!r}; expected one of: {', '.join(members) or 'none'}")
    return members[name]


def _modules(package: str) -> Iterator[str]:
    root = importlib.import_module(package)
    for info in sorted(pkgutil.iter_modules(root.__path__), key=lambda info: info.name):
        yield f"{package}.{info.name}"


def _imported(module: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except Exception as error:
        raise SoftMergeError(f"{module} cannot be imported: {type(error).__name__}: {error}") from error


def add(members: dict[str, Any], name: str, member: Any, module: str, origin: dict[str, str]) -> None:
    """Put a member of ``module`` among ``members``, whose modules are in ``origin``; raises SoftMergeError."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise SoftMergeError(f"{module}: expected a name of small letters, digits and _, got {name!r}")
    if name in members:
        raise SoftMergeError(f"{module}: the name {name!r} is taken by {origin[name]}; expected a name of its own")
    members[name], origin[name] = member, module


def _source(module: str) -> str:
    found = importlib.util.find_spec(module)
    loader = found.loader if found else None
    return (loader.get_source(module) or "") if isinstance(loader, InspectLoader) else ""


def _call(source: str, module: str, constant: str) -> ast.Call | None:
    """Return the call whose result a module names ``constant``; None where it defines no such constant."""
    for node in ast.parse(source, module).body if constant in source else ():
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == constant for target in targets):
            value = getattr(node, "value", None)
            if not isinstance(value, ast.Call):
                raise SoftMergeError(
                    f"{module}: {constant}: expected one call with keywords, such as Network(name=...)"
                )
            return value
    return None


def _literals(call: ast.Call, what: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for keyword in call.keywords:
        if keyword.arg is None or isinstance(keyword.value, ast.Name):
            continue
        try:
            values[keyword.arg] = ast.literal_eval(keyword.value)
        except ValueError as error:
            raise SoftMergeError(
                f"{what}: expected {keyword.arg!r} written out as a literal, got {ast.unparse(keyword.value)}"
            ) from error
    if call.args or not isinstance(values.get("name"), str):
        raise SoftMergeError(f'{what}: expected keyword arguments only, among them name="..."')
    return values
