"""The accuracy of a spoiled source, measured by a worker: the server itself loads no torch."""

import threading
from concurrent.futures import Future

from pages.shared.runs.services import runner
from softmerge_core.errors import SoftMergeError
from softmerge_core.settings import SourceSpec
from softmerge_core.zoo import keep_accuracy, known_accuracy, spoiled_accuracy

PATIENCE = 2.0  # seconds, once; a small model takes milliseconds, but all workers may be busy with runs
MOST = 200  # measurements under way; the answers of those that nobody waits for any more are kept all the same
_ASKED: dict[str, Future[float]] = {}
_LOCK = threading.Lock()


def measured(spec: SourceSpec) -> float | None:
    """The test accuracy (0-1) of a source as it is spoiled; None while it is measured, or where it cannot be."""
    try:
        known = known_accuracy(spec)
    except SoftMergeError:  # it was deleted meanwhile
        return None
    if known is not None:
        return known
    with _LOCK:
        name, patience = spec.model_dump_json(), 0.0
        if name not in _ASKED:
            if len(_ASKED) >= MOST:
                return None
            _ASKED[name], patience = runner().compute(spoiled_accuracy, spec), PATIENCE
        asked = _ASKED[name]
    try:
        accuracy = asked.result(timeout=patience)
    except TimeoutError:
        return None
    except Exception:  # whatever a worker may say; the run itself will tell
        accuracy = None
    with _LOCK:
        _ASKED.pop(name, None)
    if accuracy is not None:
        keep_accuracy(spec, accuracy)
    return accuracy
