"""How well the weights of sources fit together: compared once, and kept by what was compared. Loads no torch."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from softmerge_core.checkpoints.distances import Distances, distances
from softmerge_core.errors import SoftMergeError
from softmerge_core.home import home, write_atomic
from softmerge_core.zoo.sources import file_of, find_source, weights_file

AT_ONCE = 2**22  # bytes of all files that are read in a tenth of a second


def is_quick(models: Sequence[str]) -> bool:
    """Whether the files of ``models`` are compared in less time than anybody notices; raises as ``weights_file``."""
    return sum(weights_file(model).stat().st_size for model in models) <= AT_ONCE


def known_fit(models: Sequence[str]) -> Distances | None:
    """What comparing ``models`` (as a SourceSpec names them) gave, if that was done before."""
    try:
        return Distances.from_json(json.loads(_place(models).read_bytes()))
    except (SoftMergeError, OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def find_fit(models: Sequence[str]) -> Distances:
    """Compare ``models`` and keep what is found; raises SoftMergeError where one is gone, or their layers differ."""
    found = distances([weights_file(model) for model in models])
    try:
        place = _place(models)
        place.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(place, json.dumps(found.as_json()).encode(), durable=False)
    except OSError:  # a full disk: it is compared again the next time
        pass
    return found


def _place(models: Sequence[str]) -> Path:
    """The file for these very weights, in this order."""
    content = json.dumps([_sign(model) for model in models])
    return home() / "measured" / f"fit-{hashlib.sha256(content.encode()).hexdigest()[:32]}.json"


def _sign(model: str) -> str:
    """The hash of a model's weights; of a bare file its path, its time and its size."""
    origin = find_source(model)
    if origin is not None:
        return file_of(model, origin)[1].sha256
    known = Path(model).stat()
    return f"{model}:{known.st_mtime_ns}:{known.st_size}"
