"""Loaded into every process of the local cluster: it ends when the server that started it does."""

import logging
import os
import sys
import threading
import time

from softmerge_core.runs.files import process_runs

SERVER = "SOFTMERGE_SERVER"  # "pid:start time", inherited by scheduler, nannies and workers
INTERVAL = 0.5  # seconds


def dask_setup(server: object) -> None:
    """Called by Dask in each scheduler, nanny and worker; starts the watch and quietens the logs."""
    # nobody reads the scheduler's stderr pipe: chatter would fill it in the end, and block the scheduler
    logging.getLogger("distributed").setLevel(logging.ERROR)
    pid, _, started = os.environ.get(SERVER, "").partition(":")
    if pid:
        threading.Thread(target=watch, args=(pid, started), daemon=True, name="server-watch").start()


def watch(pid: str, started: str) -> None:
    """End this process at once when process ``pid`` is gone; what it writes survives that by design."""
    while process_runs(pid, started):
        time.sleep(INTERVAL)
    sys.stderr.flush()
    os._exit(1)
