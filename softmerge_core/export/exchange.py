"""ONNX, the exchange format of other runtimes, through torch's exporter where its packages are there."""

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from softmerge_core.errors import SoftMergeError

if TYPE_CHECKING:
    from torch import nn

PACKAGES = ("onnx", "onnxscript")
INPUTS, OUTPUTS = "inputs", "logits"


def missing() -> str:
    """What to install for an ONNX file, in one sentence; "" where all is there. Loads nothing."""
    absent = [name for name in PACKAGES if find_spec(name) is None]
    return f"An ONNX file needs more packages: pip install {' '.join(absent)}" if absent else ""


def as_onnx(network: "nn.Module", input_shape: tuple[int, ...], metadata: Mapping[str, str] = {}) -> bytes:
    """Return the network as ONNX, for inputs [N, *input_shape] of any number N, with its logits [N, classes].

    ``metadata``: remarks that the file carries. What the exporter notes of its own, which names files of this machine,
    is left out. Raises SoftMergeError, which says what to install, or that torch's exporter cannot translate it.
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
        model = program.model_proto
        _leave_out_remarks(model)
        for key, value in sorted(metadata.items()):
            model.metadata_props.add(key=key, value=value.encode(errors="replace").decode())
        content: bytes = model.SerializeToString()
    except Exception as error:  # the exporter raises whatever its passes raise
        raise SoftMergeError(f"torch could not write this network as ONNX ({type(error).__name__})") from error
    return content


def _leave_out_remarks(part: Any) -> None:
    """Clear the remarks of a piece of a model, and of all pieces in it."""
    for name in ("metadata_props", "doc_string"):
        if name in part.DESCRIPTOR.fields_by_name:
            part.ClearField(name)
    for field, value in part.ListFields():
        if field.message_type is not None:
            for inner in [value] if hasattr(value, "ListFields") else value:
                _leave_out_remarks(inner)


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
