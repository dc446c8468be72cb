"""Networks that are read from their files when they are asked for, so that a merge holds one of them at a time."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload

import torch
from torch import Tensor, nn

from softmerge_core.checkpoints.copies import copy_with
from softmerge_core.checkpoints.files import check_hash, fitting, load_checkpoint, stored_dtypes

HALVES = (torch.float16, torch.bfloat16)


class LazySources(Sequence[nn.Module]):
    """Networks that ``makers`` make anew whenever they are asked for; nobody holds them in between.

    ``stored`` is the precision that all their weights have where they come from, as far as it is half precision.
    """

    def __init__(self, makers: Sequence[Callable[[], nn.Module]], stored: torch.dtype | None = None) -> None:
        self.makers, self.stored = tuple(makers), stored

    @classmethod
    def of(cls, sources: Sequence[nn.Module]) -> "LazySources":
        """Return ``sources`` themselves if they are lazy, or else as networks that are there already."""
        if isinstance(sources, LazySources):
            return sources
        dtypes = {tensor.dtype for source in sources for tensor in source.parameters()}
        return cls([There(source) for source in sources], common_half(dtypes))

    def __len__(self) -> int:
        return len(self.makers)

    @overload
    def __getitem__(self, place: int) -> nn.Module: ...
    @overload
    def __getitem__(self, place: slice) -> "LazySources": ...
    def __getitem__(self, place: int | slice) -> "nn.Module | LazySources":
        return LazySources(self.makers[place], self.stored) if isinstance(place, slice) else self.makers[place]()

    def pick(self, positions: Sequence[int]) -> "LazySources":
        """Return those at ``positions``, in their order."""
        return LazySources([self.makers[position] for position in positions], self.stored)

    def replaced(self, networks: Mapping[int, nn.Module]) -> "LazySources":
        """Return the same with other ``networks`` at some positions; these are held."""
        makers = [There(networks[k]) if k in networks else maker for k, maker in enumerate(self.makers)]
        return LazySources(makers, self.stored)


@dataclass(frozen=True)
class There:
    """Makes a network that is there already."""

    network: nn.Module

    def __call__(self) -> nn.Module:
        """Return it."""
        return self.network


def common_half(dtypes: set[torch.dtype]) -> torch.dtype | None:
    """Return the half precision that is the only one among ``dtypes``, or None."""
    return next(iter(dtypes)) if len(dtypes) == 1 and dtypes <= set(HALVES) else None


def from_files(paths: Sequence[str | Path], network: nn.Module) -> LazySources:
    """Return networks of the architecture of ``network``, in evaluation mode, one for each weights file.

    Weights are mapped into memory and read when they are looked at (safetensors; a file of PyTorch's own is read
    whole). They get the precision of ``network``; a merge keeps them in half precision if all files have the same one.
    Raises CheckpointError for a file that is unsafe or does not fit, whenever it is read.
    """
    shell = hollow(network)
    dtypes = {dtype for path in paths for dtype in stored_dtypes(path) or {torch.float32}}
    return LazySources([FileMaker(Path(path), shell) for path in paths], common_half(dtypes))


@dataclass
class FileMaker:
    """Makes the network of one weights file, from a ``shell`` of its architecture (see ``hollow``).

    ``what`` names the file to the reader. With ``sha256`` its tensors must have that hash (``state_hash``), which is
    looked at the first time, and again when the file is another.
    """

    path: Path
    shell: nn.Module
    what: str = ""
    sha256: str = ""
    seen: tuple[int, ...] = ()

    def __call__(self) -> nn.Module:
        """Read the file, or map it; raises CheckpointError."""
        what, state = self.what or self.path.name, load_checkpoint(self.path, mapped=True)
        found = self.path.stat()
        seen = (found.st_ino, found.st_size, found.st_mtime_ns)
        if self.sha256 and seen != self.seen:
            check_hash(state, self.sha256, what)
            self.seen = seen
        return filled(self.shell, state, what)


def hollow(network: nn.Module) -> nn.Module:
    """Return a copy in evaluation mode that takes no memory: the weights that a file has to give have no values."""
    saved = network.state_dict().items()
    return copy_with(network, {name: own.to("meta") for name, own in saved if own.is_floating_point()}).eval()


def filled(shell: nn.Module, state: Mapping[str, Tensor], what: str) -> nn.Module:
    """Return a network with the weights of ``state``, which are not copied if they have the shell's precision.

    Raises CheckpointError where they do not fit (see ``load_into``).
    """
    own = shell.state_dict()
    return copy_with(shell, {name: given.to(own[name].dtype) for name, given in fitting(shell, state, what).items()})
