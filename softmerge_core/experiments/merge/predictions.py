"""What the networks of a merge predict for the test samples, one by one, as a small file of the run. Loads no torch.

The file is ``predictions.safetensors`` among the run's weights, so that bundles carry it along: "labels" [N], "classes"
and "confidence" [M, N], and "sources" [M - 3], the positions of the sources whose answers are kept. The first three of
M networks are those of FIRST. A confidence is a whole number of 1 / SURE, and -1 where it was not finite.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from softmerge_core.errors import CheckpointError, RunError, short
from softmerge_core.events import BEST

NAME = "predictions"
FIRST = ("soft", "average", "ensemble")  # the networks that come before the sources
SURE = 32767  # what a confidence of 1 is written as
MOST_SAMPLES = 10_000  # of a larger test set the first ones are kept
MOST_ANSWERS = 80_000  # of all networks together: so many sources are kept, the best one always
MOST_BYTES = 2**22  # of a file; none that is written has more
FIELDS = ("labels", "classes", "confidence", "sources")


@dataclass(frozen=True)
class Predictions:
    """``labels`` [N]: the true classes; ``classes`` and ``confidence`` (0-1, or NaN): by network, [N] each.

    Networks are "soft", "average", "ensemble", and "source:<position>"; ``best``: the position of the best source.
    """

    labels: np.ndarray
    classes: Mapping[str, np.ndarray]
    confidence: Mapping[str, np.ndarray]
    best: int

    @cached_property
    def sources(self) -> tuple[int, ...]:
        """The positions of the sources whose answers are kept."""
        return tuple(int(key.partition(":")[2]) for key in self.classes if key not in FIRST)

    @property
    def count(self) -> int:
        """The number of test samples."""
        return len(self.labels)

    def key(self, network: str) -> str:
        """The key of a network's answers: "best_source" is one of the sources."""
        return f"source:{self.best}" if network == BEST else network

    def knows(self, network: str) -> bool:
        """Whether there are answers of this network."""
        return self.key(network) in self.classes

    def answers(self, network: str) -> np.ndarray:
        """The classes that it predicts, [N]."""
        return self.classes[self.key(network)]

    def sure(self, network: str) -> np.ndarray:
        """The probabilities (0-1) that it gives them, [N]."""
        return self.confidence[self.key(network)]

    def right(self, network: str) -> np.ndarray:
        """Whether it is right, [N]."""
        return np.asarray(self.answers(network) == self.labels)

    def gained(self, network: str, other: str) -> np.ndarray:
        """The places of the test samples that ``network`` gets right and ``other`` does not, in their own order."""
        return np.flatnonzero(self.right(network) & ~self.right(other))

    def confusion(self, network: str, classes: int) -> np.ndarray:
        """How many samples of each true class (rows) it takes for each class (columns), [classes, classes]."""
        cells = self.labels.astype(np.int64) * classes + self.answers(network)
        return np.bincount(cells, minlength=classes * classes).reshape(classes, classes)


def kept_sources(count: int, samples: int, best: int) -> tuple[int, ...]:
    """The positions of the sources, of so many, whose answers are kept: the first ones, and the best one always."""
    most = min(count, max(1, MOST_ANSWERS // max(1, samples) - len(FIRST)))
    first = list(range(most))
    return tuple(first if best < most else [*first[:-1], best])


def best_of(result: Mapping[str, Any]) -> int:
    """The position of the best source of a result; raises RunError where it does not say."""
    names = list(result["source_names"])
    if result.get("best_source") not in names:
        raise RunError(f"expected a result that names the best of its {len(names)} sources, got another")
    return names.index(result["best_source"])


def read_predictions(path: Path, sources: int, best: int) -> Predictions | None:
    """What is in the file at ``path`` of a merge of so many ``sources``; None where there is no such file.

    Raises RunError where it cannot be read or does not fit.
    """
    what = f"{path.name} of run {path.parent.parent.name!r}"
    try:
        if not path.is_file():
            return None
        if path.stat().st_size > MOST_BYTES:
            raise RunError(f"{what}: expected at most {MOST_BYTES:,} bytes, got more")
        return _checked(_read(path), sources, best)
    except (CheckpointError, ValueError, OSError) as error:
        raise RunError(f"{what} is damaged: {short(error, 200)}") from error


def _read(path: Path) -> dict[str, np.ndarray]:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    from softmerge_core.checkpoints.header import floats_in

    floats_in(path)  # which checks its header
    try:
        return dict(load_file(path))
    except (SafetensorError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"expected arrays of whole numbers, got {short(error)}") from error


def _checked(arrays: Mapping[str, Any], sources: int, best: int) -> Predictions:
    """The arrays of a file as predictions; raises ValueError for what does not fit together."""
    if set(arrays) != set(FIELDS) or any(arrays[name].dtype.kind not in "iu" for name in FIELDS):
        raise ValueError(f"expected whole numbers called {', '.join(FIELDS)}")
    labels, classes, confidence, kept = (arrays[name] for name in FIELDS)
    shape = (len(FIRST) + len(kept), len(labels)) if kept.ndim == labels.ndim == 1 else ()
    if not len(labels) or classes.shape != shape or confidence.shape != shape:
        raise ValueError(f"expected answers of shape {shape}, got {classes.shape} and {confidence.shape}")
    if min(labels.min(), classes.min(), kept.min(initial=0)) < 0 or confidence.max() > SURE:
        raise ValueError("expected classes from 0 on, and confidences of 1 at most")
    places = kept.tolist()
    if len(set(places)) != len(places) or max(places, default=0) >= sources or best not in places:
        raise ValueError(f"expected the best of {sources} sources among {short(places)}")
    keys = (*FIRST, *(f"source:{place}" for place in places))
    sure = np.where(confidence < 0, np.nan, confidence / SURE)
    return Predictions(labels, dict(zip(keys, classes, strict=True)), dict(zip(keys, sure, strict=True)), best)
