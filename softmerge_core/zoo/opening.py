"""From the sources of a spec to networks that are read from their files whenever they are asked for. Loads torch."""

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import nn

from softmerge_core.checkpoints.files import load_checkpoint, stored_dtypes
from softmerge_core.checkpoints.sources import FileMaker, LazySources, There, common_half, hollow
from softmerge_core.networks import build_network
from softmerge_core.settings import SourceSpec
from softmerge_core.zoo.sources import called, file_of, find_source, load_source, recognised

Kind = tuple[str, tuple[int, ...], int]  # network, input shape, classes


def open_sources(specs: Sequence[SourceSpec]) -> tuple[LazySources, list[str]]:
    """(networks in evaluation mode, their names) of what ``specs`` name; a spoiled one is made once and held.

    Raises what ``load_source`` raises: here, or where it is the file's fault when the file is first read.
    """
    shells: dict[Kind, nn.Module] = {}
    opened = [_open(spec, shells) for spec in specs]
    dtypes = {dtype for _, _, found in opened for dtype in found}
    return LazySources([maker for maker, _, _ in opened], common_half(dtypes)), [name for _, name, _ in opened]


def _open(spec: SourceSpec, shells: dict[Kind, nn.Module]) -> tuple[Callable[[], nn.Module], str, set[torch.dtype]]:
    if spec.attack is not None:
        spoiled = load_source(spec)
        return There(spoiled.module), spoiled.name, {torch.float32}
    origin = find_source(spec.model)
    if origin is None:
        path, name = Path(spec.model), Path(spec.model).stem
        kind, what, sha256 = recognised(load_checkpoint(path, mapped=True), path.name), path.name, ""
    else:
        path, info = file_of(spec.model, origin)
        kind, name = (origin.network, origin.input_shape, origin.classes), info.name
        what, sha256 = called(path), info.sha256
    if kind not in shells:
        shells[kind] = hollow(build_network(*kind, seed=0))
    return FileMaker(path, shells[kind], what, sha256), name, stored_dtypes(path) or {torch.float32}
