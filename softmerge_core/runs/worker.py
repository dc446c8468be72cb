"""What runs inside a Dask worker: the warm-up at its start, and one run at a time."""

import contextlib
import importlib
from pathlib import Path

from softmerge_core.errors import RunError
from softmerge_core.runs.status import Status

WARM_DATA = ("mnist1d", "digits", "moons", "spirals", "rings")
WARM_MODULES = ("softmerge_core.merging.soft", "softmerge_core.zoo", "softmerge_core.evaluation")


def dask_setup(worker: object) -> None:
    """Called by Dask before the worker takes work."""
    warm_up()


def warm_up() -> None:
    """Import and load what every run needs, so that the first starts as fast as the tenth."""
    one_thread()
    from softmerge_core.experiments import experiments

    experiments()
    # a warm-up that fails costs a slow first run, which then says what is wrong
    for name in WARM_MODULES:
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    with contextlib.suppress(Exception):
        load = importlib.import_module("softmerge_core.data").load_dataset
        for name in WARM_DATA:
            load(name)
    with contextlib.suppress(Exception):
        _tiny_merge()


def _tiny_merge() -> None:
    """The first pass through a network, the first gradient and the first optimiser cost most of a second."""
    from softmerge_core import MergeData, soft_merge
    from softmerge_core.data import load_dataset
    from softmerge_core.networks import build_network
    from softmerge_core.settings import SoftMergeSettings

    data = load_dataset("mnist1d")
    sources = [build_network("cnn1d", data.input_shape, data.classes, seed=seed) for seed in (0, 1)]
    train, validation = data.split("train"), data.split("validation")
    few = MergeData(train[0][:64], train[1][:64], validation[0][:64], validation[1][:64])
    soft_merge(sources, few, SoftMergeSettings(granularity="layer", steps=2, evaluate_every=1))


def one_thread() -> None:
    """Compute on one thread: small networks are fastest so, and the same spec gives the same bits."""
    import torch

    torch.set_num_threads(1)


def execute(folder: str, attempt: int) -> Status:
    """One attempt at the run in ``folder``; returns how it ended."""
    from softmerge_core.runs.spread import over_workers
    from softmerge_core.runs.writer import conduct

    path = Path(folder)
    if not path.is_dir():
        raise RunError(f"run {path.name!r} is not on this worker's disk: workers need the server's run folder")
    one_thread()
    return conduct(path, attempt, spread=over_workers)
