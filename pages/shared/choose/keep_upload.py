"""Keeps an uploaded weights file in the library, in a process of its own: reading weights takes torch.

``python -m pages.shared.choose.keep_upload FILE NAME NETWORK DATASET TITLE`` prints one JSON object: name, or error.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from softmerge_core.errors import CheckpointError, SoftMergeError

ROOT = Path(__file__).parents[3]
LIMIT = 120  # seconds; a small file takes about three


def keep_weights(file_name: str, content: bytes, *, network: str, dataset: str) -> str:
    """The library's name for the weights; raises CheckpointError when they are unsafe or do not fit ``network``."""
    from softmerge_core.zoo import slug

    base = Path(file_name.replace("\\", "/")).name
    stem, suffix = slug(Path(base).stem), Path(base).suffix.lower()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{stem}{suffix}"
        path.write_bytes(content)
        command = [sys.executable, "-m", "pages.shared.choose.keep_upload", str(path), stem, network, dataset, base]
        try:
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT, check=False)
            answer = json.loads(done.stdout)
        except (subprocess.TimeoutExpired, ValueError) as error:
            raise CheckpointError(f"{base}: the weights could not be read") from error
    if "error" in answer:
        raise CheckpointError(answer["error"])
    return str(answer["name"])


def main(path: str, name: str, network: str, dataset: str, title: str) -> dict[str, str]:
    """What the process prints."""
    from softmerge_core.zoo import add_file_to_library

    try:
        return {"name": add_file_to_library(path, name, network, dataset, title=title).name}
    except SoftMergeError as error:
        return {"error": str(error)}


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
