"""The process that unpacks a stranger's bundle: ``python -m softmerge_core.export.bundle.process FILE NAME FOLDER``.

It limits its own memory and time, then prints the manifest, or what is wrong, as one JSON object.
"""

import json
import sys
from pathlib import Path
from typing import Any

from softmerge_core.errors import BundleError
from softmerge_core.export.bundle.manifest import MOST_BYTES
from softmerge_core.export.bundle.unpacking import unpack
from softmerge_core.limits import limit_process, memory_for, seconds_for


def main() -> None:
    """Answer one request."""
    archive, called, folder = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    limit_process(memory_for(0), seconds_for(MOST_BYTES))
    try:
        answer: dict[str, Any] = {"manifest": unpack(archive, called, folder).model_dump(mode="json")}
    except BundleError as error:
        answer = {"problem": str(error)}
    except MemoryError:
        answer = {"problem": f"{called}: takes more memory to read than is allowed"}
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
