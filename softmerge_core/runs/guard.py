"""Ends every process of the local cluster, which all load this module, when the server that started it is gone."""

import logging
import os
import sys
import threading
import time

from softmerge_core.runs.files import process_runs

SERVER = "SOFTMERGE_SERVER"  # "pid:start time", inherited by scheduler, nannies and workers
INTERVAL = 0.5  # seconds


def dask_setup(server: object) -> None:
    """Start watching the server and quieten the logs; Dask calls this in each scheduler, nanny and worker."""
    # nobody reads the scheduler's stderr pipe: in time chatter would fill it and block the scheduler
    logging.getLogger("distributed").setLevel(logging.ERROR)
    pid, _, started = os.environ.get(SERVER, "").partition(":")
    if pid:
        threading.Thread(target=watch, args=(pid, started), daemon=True, name="server-watch").start()


def watch(pid: str, started: str) -> None:
    """End this process at once when process ``pid`` is gone; run folders are made to survive that."""
    while process_runs(pid, started):
        time.sleep(INTERVAL)
    sys.stderr.flush()
    os._exit(1)
