"""Every way to merge trained networks, one file each with a constant ``METHOD``; ``merge`` is the one door."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from softmerge_core.errors import SettingsError, SourceError
from softmerge_core.methods.base import Material, Method, Need
from softmerge_core.registry import discover, lookup
from softmerge_core.settings import parse

if TYPE_CHECKING:
    from torch import Tensor, nn

    from softmerge_core.data.base import MergeData

__all__ = ["Material", "Method", "Need", "available_methods", "find_method", "merge"]


@cache
def available_methods() -> dict[str, Method]:
    """Return all methods by their names."""
    return discover(__name__, "METHOD")


def find_method(name: str) -> Method:
    """Return the method called ``name``; raises NotFoundError, which lists the known names."""
    found: Method = lookup(available_methods(), name, "method")
    return found


def merge(
    name: str,
    sources: "Sequence[nn.Module]",
    data: "MergeData | None" = None,
    *,
    names: Sequence[str] | None = None,
    base: "nn.Module | None" = None,
    seed: int = 0,
    target: int | None = None,
    should_stop: Callable[[], bool] | None = None,
    **settings: Any,
) -> "nn.Module":
    """Merge ``sources`` (two or more, one architecture, never modified) by the method called ``name``.

    ``data`` and ``base`` are needed only by methods that say so, and no method is handed what it does not need.
    ``settings`` are the method's own. Methods that work ``across`` widths or architectures take sources that differ in
    these; ``target``: the position of the one whose architecture the result has, for others it has no effect.
    Returns a network in evaluation mode with fresh BatchNorm statistics.
    Raises NotFoundError, SettingsError, SourceError or DataError before any work starts.
    """
    method = find_method(name)
    parsed = parse(method.settings, settings, f"settings of {method.title}")
    material = _material(method, sources, data, names, base, seed, target, should_stop)
    merged = method.merge(material, parsed)
    merged.zero_grad(set_to_none=True)  # what trained it is done with its gradients
    return merged.eval()


def _material(
    method: Method,
    sources: "Sequence[nn.Module]",
    data: "MergeData | None",
    names: Sequence[str] | None,
    base: "nn.Module | None",
    seed: int,
    target: int | None,
    should_stop: Callable[[], bool] | None,
) -> Material:
    """Check the arguments, and hand over no more than the method needs."""
    import torch

    from softmerge_core.checks import check_finite, in_one_precision, unique_names

    labels = unique_names(names or [f"source {number + 1}" for number in range(len(sources))])
    _check_kinds(method, sources, labels, data)
    if target is not None and not 0 <= target < len(sources):
        raise SettingsError(f"target: expected 0 to {len(sources) - 1}, got {target}")
    if method.sources is not None and len(sources) > method.sources:
        raise SourceError(f"{method.title} merges at most {method.sources} sources, got {len(sources)}")
    check_finite(sources, labels)
    sources = in_one_precision(sources)
    return Material(
        sources=tuple(sources),
        names=labels,
        generator=torch.Generator().manual_seed(seed),
        base=_base(method, sources[0], labels[0], base),
        target=target if method.across else None,
        should_stop=should_stop or (lambda: False),
        **_allowed(method, sources, labels[0], data),
    )


def _check_kinds(
    method: Method, sources: "Sequence[nn.Module]", names: Sequence[str], data: "MergeData | None"
) -> None:
    """Raise SourceError unless the sources are of one architecture, or the method works across those they are of."""
    from softmerge_core.checks import are_alike, check_architecture, check_each, check_readers

    if not method.across:
        check_architecture(sources, names)
        return
    check_each(sources, names)
    if data is not None and not are_alike(sources):
        check_readers(sources, names, data.validation_inputs)


def _base(method: Method, first: "nn.Module", name: str, base: "nn.Module | None") -> "nn.Module | None":
    from softmerge_core.checks import check_base

    if "base" not in method.needs | method.optional or (base is None and "base" in method.optional):
        return None
    if base is None:
        raise SourceError(f"{method.title} needs the base model that all sources were trained from, got none")
    check_base(base, first, name)
    return base


def _allowed(
    method: Method, sources: "Sequence[nn.Module]", name: str, data: "MergeData | None"
) -> "dict[str, Tensor | None]":
    """Return the inputs and labels that the method needs, checked, and inputs for BatchNorm where there is any."""
    from softmerge_core.checks import check_merge_data
    from softmerge_core.evaluation import BATCHNORM_SAMPLES, has_batchnorm

    first, wants = sources[0], method.needs & {"inputs", "labels"}
    has_statistics = any(map(has_batchnorm, sources))
    if data is None:
        if wants or has_statistics:
            what = " and ".join(sorted(wants)) or "inputs to re-estimate BatchNorm"
            raise SettingsError(f"{method.title} needs {what}, got no data")
        return {}
    if wants or has_statistics:
        _check_inputs(data, first, name)
    if "labels" in wants:
        check_merge_data(data, first, name)
    allowed: dict[str, Tensor | None] = {}
    if "inputs" in wants:
        allowed |= {"train_inputs": data.train_inputs, "validation_inputs": data.validation_inputs}
    if "labels" in wants:
        allowed |= {"train_labels": data.train_labels, "validation_labels": data.validation_labels}
    if has_statistics:
        allowed["batchnorm_inputs"] = data.train_inputs[:BATCHNORM_SAMPLES]
    return allowed


def _check_inputs(data: "MergeData", first: "nn.Module", name: str) -> None:
    """Raise DataError unless the inputs of both splits fit the network; labels are not looked at."""
    import torch

    from softmerge_core.checks import check_split, count_classes

    for split, inputs in (("train", data.train_inputs), ("validation", data.validation_inputs)):
        check_split(split, inputs, torch.zeros(len(inputs), dtype=torch.int64), 1)
        count_classes(first, name, inputs)
