"""The local Dask cluster: its processes are warmed up, restarted when they die, and end with the server."""

import contextlib
import os
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from softmerge_core.runs.files import this_process
from softmerge_core.runs.guard import SERVER

WORKERS = 2
GUARD = "softmerge_core.runs.guard"
WARM = "softmerge_core.runs.warm"
_ENVIRONMENT = threading.Lock()


def start_cluster(preload: Sequence[str] = (WARM,)) -> Any:
    """Start a ``SubprocessCluster`` with one worker, which first imports the modules ``preload``.

    A worker that is killed, or that uses nearly all of its share of the memory, is restarted by its nanny.
    """
    from distributed.deploy.subprocess import SubprocessCluster

    no_dashboard: Any = None  # Dask allows it, though the type says str
    with _environment():
        return SubprocessCluster(
            n_workers=1,
            threads_per_worker=1,
            dashboard_address=no_dashboard,
            scheduler_kwargs={"allowed_failures": 0, "preload": [GUARD]},
            worker_kwargs={
                "preload": [GUARD, *preload],
                "preload_nanny": [GUARD],
                "dashboard": False,
                "memory_limit": 1 / WORKERS,  # of the machine's memory
            },
            silence_logs=40,
        )


def grow(cluster: Any, client: Any) -> None:
    """Wait for the first worker to be warm, then add the others; it warms up faster with the cores to itself."""
    client.wait_for_workers(1)
    with _environment():  # until their processes have begun
        cluster.scale(WORKERS)
        cluster.sync(_settled, cluster)


async def _settled(cluster: Any) -> None:
    await cluster


@contextlib.contextmanager
def _environment() -> Iterator[None]:
    """Set the environment that started processes inherit: the server to watch, and the place of this package."""
    me = this_process()
    root = str(Path(__file__).parents[2])
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    wanted = {
        SERVER: f"{me['pid']}:{me['started']}",
        "PYTHONPATH": os.pathsep.join(paths),
        "DASK_LOGGING__DISTRIBUTED": "error",
    }
    with _ENVIRONMENT:
        before = {name: os.environ.get(name) for name in wanted}
        os.environ.update(wanted)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value
