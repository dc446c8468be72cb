"""The local Dask cluster: subprocesses that are warm, restarted when they die, gone when the server is."""

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


def start_cluster(preload: Sequence[str] = ()) -> Any:
    """A started ``SubprocessCluster`` of one worker, which is soon warm. ``preload``: modules each worker imports.

    A nanny restarts its worker when it is killed, or when it uses nearly all of its share of the memory.
    """
    from distributed.deploy.subprocess import SubprocessCluster

    no_dashboard: Any = None  # allowed, though typed as str
    with _environment():
        return SubprocessCluster(
            n_workers=1,
            threads_per_worker=1,
            dashboard_address=no_dashboard,
            scheduler_kwargs={"allowed_failures": 0, "preload": [GUARD]},
            worker_kwargs={
                "preload": [GUARD, *preload, WARM],
                "preload_nanny": [GUARD],
                "dashboard": False,
                "memory_limit": 1 / WORKERS,  # of the machine's memory
            },
            silence_logs=40,
        )


def grow(cluster: Any, client: Any) -> None:
    """Add the other workers once the first is warm, which is sooner when it need not share the cores; waits for it."""
    client.wait_for_workers(1)
    with _environment():  # until their processes have begun
        cluster.scale(WORKERS)
        cluster.sync(_settled, cluster)


async def _settled(cluster: Any) -> None:
    await cluster


@contextlib.contextmanager
def _environment() -> Iterator[None]:
    """What the started processes inherit: whom to watch, and where this package lies."""
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
