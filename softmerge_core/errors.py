"""Every error the engine raises on purpose.

Each message says what was expected and what was got, and names the model, layer or file.
"""


class SoftMergeError(Exception):
    """Base of every deliberate error: safe to show to a reader as it is."""


class SourceError(SoftMergeError):
    """The sources cannot be merged: too few, of different shapes, or not finite."""


class ArchitectureError(SourceError):
    """The sources are of different architectures, which this way of merging cannot work across; some others can."""


class DataError(SoftMergeError):
    """The data set is missing, empty, or does not fit the networks."""


class SettingsError(SoftMergeError):
    """A setting is unknown, out of its range, or contradicts another."""


class CheckpointError(SoftMergeError):
    """A weights file is unsafe, damaged, or not what it claims to be."""


class NotFoundError(SoftMergeError):
    """A named family, model, network, data set, method or run does not exist."""


class RunError(SoftMergeError):
    """A run cannot be started, read, or written."""


class ClassError(SoftMergeError):
    """A class cannot be opened, joined or changed so, or there is none with this code."""


class BundleError(SoftMergeError):
    """A bundle of a run is unsafe, damaged, or not what it claims to be."""


class TrainingError(SoftMergeError):
    """Training cannot go on: the loss or the weights stopped being finite."""


class ShortOfMemoryError(SoftMergeError):
    """The machine has less memory than the work would take."""


def short(text: object, limit: int = 80) -> str:
    """Return a stranger's ``text`` as a message may hold it: one line of at most ``limit`` letters, all printable."""
    given = str(text)
    line = " ".join(given[: 4 * limit].split())
    line = "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in line)
    return line if len(line) <= limit and len(given) <= 4 * limit else f"{line[: limit - 3]}..."
