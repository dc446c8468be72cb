"""The warm-up of a worker process, so that its first run starts as fast as its tenth."""

import importlib
import logging
from collections.abc import Callable

import softmerge_core
from softmerge_core.allocator import keep_freed_memory
from softmerge_core.data import load_dataset
from softmerge_core.experiments import experiments
from softmerge_core.networks import build_network, registered
from softmerge_core.settings import SoftMergeSettings

DATASETS = ("mnist1d", "digits", "moons", "spirals", "rings")
MODULES = ("softmerge_core.merging.soft", "softmerge_core.zoo", "softmerge_core.evaluation")

logger = logging.getLogger(__name__)


def dask_setup(worker: object) -> None:
    """Warm up; Dask calls this before ``worker`` takes work."""
    warm_up()


def warm_up() -> None:
    """Import and load what every run needs.

    A step that fails is logged and costs only time: the first run that needs it then says what is wrong.
    """
    one_thread()
    keep_freed_memory()
    for step in STEPS:
        try:
            step()
        except Exception:
            logger.warning("A worker's warm-up failed in %s; its first run will be slow", step.__name__, exc_info=True)


def one_thread() -> None:
    """Compute on one thread, which is fastest for small networks and makes a repeated run give the same bits."""
    import torch  # the server imports this module and must stay without torch

    torch.set_num_threads(1)


def import_modules() -> None:
    """Import the modules that take long to load, and the reader's own file of networks."""
    experiments()
    registered()
    for name in MODULES:
        importlib.import_module(name)


def load_datasets() -> None:
    """Load the small data sets; they stay in memory."""
    for name in DATASETS:
        load_dataset(name)


def merge_once() -> None:
    """Do a tiny merge, because the first forward pass, gradient and optimiser step of a process are slow."""
    data = load_dataset("mnist1d")
    sources = [build_network("cnn1d", data.input_shape, data.classes, seed=seed) for seed in (0, 1)]
    train, validation = data.split("train"), data.split("validation")
    few = softmerge_core.MergeData(train[0][:64], train[1][:64], validation[0][:64], validation[1][:64])
    softmerge_core.soft_merge(sources, few, SoftMergeSettings(granularity="layer", steps=2, evaluate_every=1))


STEPS: tuple[Callable[[], None], ...] = (import_modules, load_datasets, merge_once)
