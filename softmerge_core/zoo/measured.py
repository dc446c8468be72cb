"""How accurate a spoiled copy of a source is: measured once, and kept by what it was measured on. Light until then."""

import hashlib
import json
from pathlib import Path

from softmerge_core.data import datasets, load_data
from softmerge_core.errors import CheckpointError
from softmerge_core.home import home, write_atomic
from softmerge_core.settings import DataSpec, SourceSpec
from softmerge_core.zoo.library import LibraryModel
from softmerge_core.zoo.manifest import FamilyInfo
from softmerge_core.zoo.sources import find_source, load_source


def spoiled_accuracy(spec: SourceSpec) -> float:
    """The test accuracy (0-1) of a zoo or library model as the spec spoils it, on the data it was trained on.

    Loads torch. Raises SoftMergeError where the model or its data are gone, CheckpointError for a bare weights file.
    """
    from softmerge_core.evaluation import evaluate

    data = load_data(DataSpec(dataset=_origin(spec).dataset))
    accuracy, _ = evaluate(load_source(spec).module, *data.split("test"))
    return accuracy


def known_accuracy(spec: SourceSpec) -> float | None:
    """The same, if it has been measured before; raises SoftMergeError where the model is gone."""
    try:
        return float(json.loads(_place(spec).read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


def keep_accuracy(spec: SourceSpec, accuracy: float) -> None:
    """Keep what was measured; where the disk is full it is measured again the next time."""
    try:
        _place(spec).parent.mkdir(parents=True, exist_ok=True)
        write_atomic(_place(spec), json.dumps(accuracy).encode(), durable=False)
    except OSError:
        return


def _place(spec: SourceSpec) -> Path:
    """The file for a model's very weights, this attack, and this data set."""
    origin = _origin(spec)
    info = origin.model(spec.model.partition("/")[2]) if isinstance(origin, FamilyInfo) else origin
    attack = spec.attack.model_dump_json() if spec.attack else ""
    content = (info.sha256 if info else "", attack, origin.dataset, _changed(origin.dataset))
    return home() / "measured" / f"{hashlib.sha256(json.dumps(content).encode()).hexdigest()[:32]}.json"


def _changed(dataset: str) -> int:
    """When a data file was written; 0 for a built-in data set."""
    path = Path(dataset)
    return path.stat().st_mtime_ns if dataset not in datasets() and path.is_file() else 0


def _origin(spec: SourceSpec) -> FamilyInfo | LibraryModel:
    origin = find_source(spec.model)
    if origin is None:
        raise CheckpointError(f"{Path(spec.model).name}: expected a model of a family or of the library")
    return origin
