"""The local Dask cluster: its processes are warmed up, restarted when they die, and end with the server."""

import contextlib
import ipaddress
import os
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from softmerge_core.errors import RunError
from softmerge_core.runs.files import this_process
from softmerge_core.runs.guard import SERVER

WORKERS = 2
GUARD = "softmerge_core.runs.guard"
WARM = "softmerge_core.runs.warm"
LOGGED = 10  # of the last messages, to keep for those who look for faults of Dask: 1000 by default, all in memory
COMM = "DASK_DISTRIBUTED__COMM__"
ROUTES = '["distributed.http.health"]'  # what scheduler and workers tell anyone who asks over HTTP
QUIET = {  # what Dask measures for its dashboards, which nobody sees: a hundred times a second, beside the work itself
    "DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "False",
    "DASK_DISTRIBUTED__ADMIN__TICK__INTERVAL": "1s",
    "DASK_DISTRIBUTED__ADMIN__LOW_LEVEL_LOG_LENGTH": str(LOGGED),
}
TRUSTED = "SOFTMERGE_TRUSTED_NETWORK"  # 1: talk to a scheduler on another machine even where anyone may listen
_ENVIRONMENT = threading.Lock()


def connect(to: Any, timeout: float) -> Any:
    """A client of a cluster or of the scheduler at an address; raises OSError where none answers in so many seconds."""
    import dask
    from distributed import Client

    dask.config.set({"distributed.admin.low-level-log-length": LOGGED})
    return Client(to, set_as_default=False, timeout=timeout)


def start_cluster(preload: Sequence[str] = (WARM,)) -> Any:
    """Start a ``SubprocessCluster`` with one worker, which first imports the modules ``preload``.

    A worker that is killed, or that uses nearly all of its share of the memory, is restarted by its nanny. All talk
    is encrypted, and only who has the key that is made here may talk: a scheduler runs whatever it is sent.
    """
    from distributed.deploy.subprocess import SubprocessCluster
    from distributed.security import Security

    no_dashboard: Any = None  # Dask allows it, though the type says str
    security = Security.temporary()
    with _environment(security):
        return SubprocessCluster(
            n_workers=1,
            threads_per_worker=1,
            dashboard_address=no_dashboard,
            security=security,
            scheduler_kwargs={"allowed_failures": 0, "preload": [GUARD], "protocol": "tls"},
            worker_kwargs={
                "preload": [GUARD, *preload],
                "preload_nanny": [GUARD],
                "dashboard": False,
                "memory_limit": 1 / WORKERS,  # of the machine's memory
            },
            silence_logs=40,
        )


def check_scheduler(address: str) -> str:
    """Return the address of a scheduler if only its owners can send it work, as far as the address tells.

    Raises RunError for one on another machine to which anybody could talk, for it runs whatever it is sent.
    """
    protocol, separator, place = address.rpartition("://")
    if protocol == "tls" or os.environ.get(TRUSTED) == "1" or _is_here(place):
        return address
    raise RunError(
        f"scheduler {address[:80]!r}: expected an encrypted address (tls://...) or one on this machine, "
        f"got {protocol if separator else 'tcp'}:// on another one"
    )


def _is_here(place: str) -> bool:
    """Whether the place ("host:port", "[::1]:port") is on this machine and cannot be reached from any other."""
    try:
        host = urlsplit(f"//{place}").hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def grow(cluster: Any, client: Any) -> None:
    """Wait for the first worker to be warm, then add the others; it warms up faster with the cores to itself."""
    client.wait_for_workers(1)
    with _environment(cluster.security):  # until their processes have begun
        cluster.scale(WORKERS)
        cluster.sync(_settled, cluster)


async def _settled(cluster: Any) -> None:
    await cluster


def credentials(security: Any) -> dict[str, str]:
    """Return the environment from which Dask takes the key; other users cannot read it, as they can a command line."""
    roles = ("client", "scheduler", "worker")
    values = {f"{role}__{what}": getattr(security, f"tls_{role}_{what}") for role in roles for what in ("cert", "key")}
    tls = {f"{COMM}TLS__{name.upper()}": value for name, value in {"ca_file": security.tls_ca_file, **values}.items()}
    return {f"{COMM}REQUIRE_ENCRYPTION": "True", **tls}


@contextlib.contextmanager
def _environment(security: Any) -> Iterator[None]:
    """Set what started processes inherit: the server to watch, the place of this package, the key of the cluster."""
    me = this_process()
    root = str(Path(__file__).parents[2])
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    wanted = {
        SERVER: f"{me['pid']}:{me['started']}",
        "PYTHONPATH": os.pathsep.join(paths),
        "DASK_LOGGING__DISTRIBUTED": "error",
        **QUIET,
        "DASK_DISTRIBUTED__SCHEDULER__HTTP__ROUTES": ROUTES,
        "DASK_DISTRIBUTED__WORKER__HTTP__ROUTES": ROUTES,
        **credentials(security),
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
