"""The source code that builds a network without this project: its own, or a few lines on torchvision. Loads torch."""

import ast
import importlib
import inspect
from collections.abc import Sequence
from typing import NamedTuple

from torch import nn

from softmerge_core.errors import SoftMergeError
from softmerge_core.networks import TORCHVISION, build_network, network_module
from softmerge_core.networks.torchvision import CIFAR, first_convolution, options

OURS = "softmerge_core"
NETWORKS = "softmerge_core.networks."
BASE = "softmerge_core.networks.base"
CONSTANT = "NETWORK"  # the entry in our list of networks, of no use elsewhere
Kind = tuple[str, tuple[int, ...], int]  # network, input shape, classes


class Code(NamedTuple):
    """Source code: its ``imports``, a line each, the ``body``, and the ``call`` in it that builds the network."""

    imports: tuple[str, ...]
    body: str
    call: str


def code_of(kind: Kind) -> Code:
    """The code that builds a network of this kind; raises SoftMergeError where it needs more than torch."""
    network, input_shape, classes = kind
    if network.startswith(TORCHVISION):
        return _torchvision(network.removeprefix(TORCHVISION), input_shape, classes)
    return standalone(inspect.getsource(importlib.import_module(network_module(network))), network)


def standalone(source: str, network: str) -> Code:
    """The code of a built-in network's file, without its docstring and what ties it to this project."""
    tree = ast.parse(source)
    imports = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
    own = [node for node in imports if _is_ours(node)]
    left_out = [*imports, *(node for node in tree.body if _is_docstring(node) or _is_entry(node))]
    kept = [node for node in tree.body if node not in left_out]
    borrowed = [_borrowed(node) for node in own if _is_network(node)]
    _check_independent(kept, [node for node in own if not _is_network(node)], network)
    lines = source.splitlines()
    for node in left_out:
        lines[node.lineno - 1 : node.end_lineno] = [""] * ((node.end_lineno or node.lineno) - node.lineno + 1)
    body = "\n".join(lines).strip()
    while "\n\n\n\n" in body:
        body = body.replace("\n\n\n\n", "\n\n\n")
    told = [ast.unparse(node) for node in imports if node not in own]
    told = [line for lines, _ in borrowed for line in lines if line not in told] + told
    body = "\n\n\n".join([*(code for _, code in borrowed), body])
    return Code(tuple(told), body, "build(INPUT_SHAPE, CLASSES)")


def _is_network(node: ast.stmt) -> bool:
    """Whether an import is of another network's design."""
    return isinstance(node, ast.ImportFrom) and (node.module or "").startswith(NETWORKS) and node.module != BASE


def _borrowed(node: ast.stmt) -> tuple[list[str], str]:
    """(the imports, the code) of what is imported from another network's file."""
    source = inspect.getsource(importlib.import_module(node.module))  # type: ignore[attr-defined]
    names = {alias.name for alias in node.names}  # type: ignore[attr-defined]
    tree = ast.parse(source)
    found = [part for part in tree.body if isinstance(part, (ast.ClassDef, ast.FunctionDef)) and part.name in names]
    code = "\n\n\n".join(ast.get_source_segment(source, part) or "" for part in found)
    imports = [part for part in tree.body if isinstance(part, (ast.Import, ast.ImportFrom)) and not _is_ours(part)]
    return [ast.unparse(part) for part in imports], code


def _is_ours(node: ast.stmt) -> bool:
    names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]  # type: ignore[attr-defined]
    return any(name.partition(".")[0] == OURS for name in names)


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_entry(node: ast.stmt) -> bool:
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return any(isinstance(target, ast.Name) and target.id == CONSTANT for target in targets)


def _check_independent(kept: Sequence[ast.stmt], own: Sequence[ast.stmt], network: str) -> None:
    """Raise SoftMergeError if the code uses what it imports from this project."""
    ours = {alias.asname or alias.name for node in own for alias in node.names}  # type: ignore[attr-defined]
    used = {name.id for node in kept for name in ast.walk(node) if isinstance(name, ast.Name)}
    if ours & used:
        raise SoftMergeError(
            f"network {network!r}: expected source code that needs torch only, got one that uses "
            f"{', '.join(sorted(ours & used))} of this project"
        )


def _torchvision(name: str, input_shape: tuple[int, ...], classes: int) -> Code:
    plain = name.removesuffix(CIFAR)
    asked = ", ".join(f"{key}={value!r}" for key, value in options(plain, input_shape, classes).items())
    lines = [f"network = torchvision.models.get_model({plain!r}, {asked})"]
    network = build_network(f"{TORCHVISION}{name}", input_shape, classes, seed=0)
    path, first = first_convolution(network)
    if plain != name:
        lines.append("network.maxpool = nn.Identity()  # the beginning for small images: nothing is pooled there")
    if plain != name or input_shape[0] != 3:
        lines += ["# What reads the images: of another size, or for another number of channels, than is usual."]
        lines += [_replaced(path, _convolution(first))]
    said = '"""Return the network, its weights still random."""'
    body = "\n    ".join(["def build():", said, *lines, "return network"])
    imports = ("import torchvision", "from torch import nn") if len(lines) > 1 else ("import torchvision",)
    return Code(imports, body, "build()")


def _replaced(path: str, layer: str) -> str:
    """The line that puts another layer at a path, in whatever container."""
    parent, _, child = path.rpartition(".")
    where = f"network.get_submodule({parent!r})" if parent else "network"
    return f"{where}.{child} = {layer}" if child.isidentifier() else f"setattr({where}, {child!r}, {layer})"


def _convolution(layer: nn.Conv2d) -> str:
    sizes = {key: getattr(layer, key) for key in ("stride", "padding", "dilation")}
    told = ", ".join(f"{key}={value!r}" for key, value in sizes.items())
    bias = layer.bias is not None
    return f"nn.Conv2d({layer.in_channels}, {layer.out_channels}, {layer.kernel_size!r}, {told}, bias={bias})"
