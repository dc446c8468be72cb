"""A process that answers as that for surgery does, without torch: what it is asked about says how it behaves."""

import json
import os
import sys
import time
from pathlib import Path

for line in sys.stdin:
    question = json.loads(line)
    how = Path(question["folder"]).name
    if how == "slow":
        time.sleep(60)
    if how == "dies":
        os._exit(1)
    refusal = {"error": "no such run"} if how == "refused" else {"answer": {**question, "process": os.getpid()}}
    print(json.dumps(refusal), flush=True)
    if how == "tired":
        os._exit(0)
