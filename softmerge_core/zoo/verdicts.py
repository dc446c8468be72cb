"""What is known of a weights file at the door: what it is, whether it fits, and which layer keeps it out. No torch."""

from pathlib import Path

from softmerge_core.checkpoints.shards import shards
from softmerge_core.errors import CheckpointError
from softmerge_core.numbers import NO_BREAK
from softmerge_core.zoo.manifest import Record


class FileAsked(Record):
    """A file to look at. ``title``: what the reader knows it as; ``name``: what it is to be called in the library."""

    path: Path
    title: str
    name: str = ""

    @property
    def size(self) -> int:
        """Its bytes, or those of all files of an index; 0 where it cannot be read."""
        try:
            return sum(part.stat().st_size for part in shards(self.path))
        except (OSError, CheckpointError):
            return 0


class Asked(Record):
    """What is asked about files: whether they are of a network that learned ``dataset``; with ``keep`` they stay.

    ``network``: what they are, by default what their tensors say, with so many ``classes``; ``like``: what a file that
    is of no known network is compared with; ``together``: all must be of the first one's architecture, which is
    ``first`` (network, input shape, classes) where it is known.
    """

    files: tuple[FileAsked, ...]
    dataset: str
    keep: bool = False
    network: str = ""
    classes: int | None = None
    like: str = ""
    together: bool = False
    first: tuple[str, tuple[int, ...], int] | None = None


class Verdict(Record):
    """What came of one file.

    ``network``, ``input_shape`` and ``classes`` are what it is, where it is ``known``, or else what it comes nearest
    to, if anything. ``problem``: what keeps it out, with the layer, or "". ``stored``: the type of its numbers.
    ``notes``: what is odd about it. ``model``: its name in the library, if it was kept.
    """

    file: str
    network: str = ""
    input_shape: tuple[int, ...] = ()
    classes: int = 0
    known: bool = False
    stored: str = ""
    problem: str = ""
    notes: tuple[str, ...] = ()
    finite: bool = True
    model: str = ""

    @property
    def fits(self) -> bool:
        """Whether it can be merged with others of its kind."""
        return not self.problem


def what_it_is(verdict: Verdict) -> str:
    """A file in a few words: "torchvision/resnet18 for 3 × 224 × 224, 10 classes, float16"."""
    if not verdict.network:
        return "not known"
    shape = f"{NO_BREAK}×{NO_BREAK}".join(map(str, verdict.input_shape))
    known = f"{verdict.network} for {shape}, {verdict.classes} classes"
    return f"{known}, {verdict.stored}" if verdict.known else f"nearest: {known}"


def remarks(verdict: Verdict) -> str:
    """What keeps a file out, or else what is odd about it, or ""."""
    return verdict.problem or "; ".join(verdict.notes)


def refused(verdict: Verdict) -> str:
    """What is wrong with a file, in one line that begins with its name."""
    near = f"; it comes nearest to a {verdict.network}" if verdict.network and not verdict.known else ""
    return f"{verdict.file}: {verdict.problem}{near}"
