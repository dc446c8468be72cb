"""ONNX, the exchange format of other runtimes, through torch's exporter where its packages are there."""

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING

from softmerge_core.errors import SoftMergeError

if TYPE_CHECKING:
    from torch import nn

PACKAGES = ("onnx", "onnxscript")
INPUTS, OUTPUTS = "inputs", "logits"


def missing() -> str:
    """What to install for an ONNX file, in one sentence; "" where all is there. Loads nothing."""
    absent = [name for name in PACKAGES if find_spec(name) is None]
    return f"An ONNX file needs more packages: pip install {' '.join(absent)}" if absent else ""


def as_onnx(network: "nn.Module", input_shape: tuple[int, ...]) -> bytes:
    """Return the network as ONNX, for inputs [N, *input_shape] of any number N, with its logits [N, classes].

    Raises SoftMergeError, which says what to install, or that torch's exporter cannot translate this network.
    """
    import torch

    if told := missing():
        raise SoftMergeError(told)
    sample = torch.zeros(2, *input_shape)
    batch = torch.export.Dim("batch", min=1)
    try:
        with _quiet():
            program = torch.onnx.export(
                network, (sample,), input_names=[INPUTS], output_names=[OUTPUTS],
                dynamic_shapes=({0: batch},), dynamo=True, verbose=False,
            )  # fmt: skip
        content: bytes = program.model_proto.SerializeToString()
    except Exception as error:  # the exporter raises whatever its passes raise
        raise SoftMergeError(f"torch could not write this network as ONNX ({type(error).__name__})") from error
    return content


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep what the exporter says about itself from the output of a command."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        before = logging.root.manager.disable
        logging.disable(logging.WARNING)
        try:
            yield
        finally:
            logging.disable(before)
