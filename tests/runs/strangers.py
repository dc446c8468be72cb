"""A stranger on the same machine, who has not the key of a cluster."""

import os
import subprocess
import sys

from softmerge_core.runs import Runner

NOBODY = 65534
STRANGER = """
import os, sys, logging
from pathlib import Path
from distributed import Client
from distributed.security import Security
logging.disable()
address, pid, user = sys.argv[1], sys.argv[2], int(sys.argv[3])
strange = Security.temporary()
if user:
    os.setgid(user)
    os.setuid(user)
    try:
        Path(f"/proc/{pid}/environ").read_bytes()
        print("has read the key")
    except PermissionError:
        pass
assert b"PRIVATE" not in Path(f"/proc/{pid}/cmdline").read_bytes()
for place, security in ((address, strange), (address.replace("tls:", "tcp:"), None)):
    try:
        with Client(place, security=security, timeout=3) as client:
            print("has run", client.submit(os.getpid).result(timeout=20))
    except (OSError, TimeoutError):
        print("refused")
"""


def check_stranger_is_refused(runner: Runner) -> None:
    """Try to use the workers of a runner without its key: as another user where this one may change, else as this."""
    cluster = runner._cluster
    user = NOBODY if os.getuid() == 0 else 0
    command = [sys.executable, "-c", STRANGER, cluster.scheduler_address, str(cluster.scheduler.process.pid), str(user)]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert answer.stdout.split() == ["refused", "refused"], answer.stderr[-2000:]
