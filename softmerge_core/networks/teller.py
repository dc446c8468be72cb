"""The process that tells a server which networks the reader's file registers: ``python -m ...networks.teller``.

It prints one JSON object, with every network's row and what is wrong with the file or with a network that it cannot
build.
"""

import contextlib
import json
import os
import sys

import torch

from softmerge_core.errors import DataError
from softmerge_core.networks.base import Network, usual_shapes
from softmerge_core.networks.registration import FILE, problems, registered


def tell() -> dict[str, object]:
    """Return the rows of all registered networks, and the problems."""
    found = registered().values()
    fields = ("name", "title", "takes", "where", "sha256")
    rows = [{field: getattr(network, field) for field in fields} for network in found]
    return {"networks": rows, "problems": [*problems(), *filter(None, map(cannot_be_built, found))]}


def cannot_be_built(network: Network) -> str:
    """Return why a network can be built for no usual inputs of the kinds that it takes, or ""."""
    said = ""
    for kind, smallest in network.takes.items():
        for shape in usual_shapes(kind, smallest):
            try:
                with torch.device("meta"):
                    network.build(shape, 10)
                return ""
            except DataError as error:
                said = said or str(error)
    return said


def main() -> None:
    """Print what there is to tell; whatever the file prints goes to stderr."""
    os.environ.setdefault(FILE, "")
    with contextlib.redirect_stdout(sys.stderr):
        told = tell()
    print(json.dumps(told))


if __name__ == "__main__":
    main()
