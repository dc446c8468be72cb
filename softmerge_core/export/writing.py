"""A network as files to take along: weights, the script that loads them, the card, or all of it. Loads torch."""

import io
import zipfile
from collections.abc import Callable, Mapping
from typing import Any

import torch

from softmerge_core.checkpoints.files import as_safetensors, plain_tensors
from softmerge_core.data import load_data
from softmerge_core.errors import SoftMergeError
from softmerge_core.export.exchange import as_onnx, missing
from softmerge_core.export.script import Seen, script, script_name
from softmerge_core.export.subject import Subject, about
from softmerge_core.settings import DataSpec

LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the time of files in an archive, so that equal archives are equal to the byte
CARD = "README.md"


def safetensors_file(it: Subject) -> bytes:
    """The weights as safetensors, with what made them in the metadata."""
    return as_safetensors(it.state, f"{it.stem}.safetensors", it.metadata)


def torch_file(it: Subject) -> bytes:
    """The weights as PyTorch's own file: a plain state dict, which ``torch.load(weights_only=True)`` takes."""
    content = io.BytesIO()
    torch.save(plain_tensors(it.state), content)
    return content.getvalue()


def onnx_file(it: Subject) -> bytes:
    """The network as ONNX; raises SoftMergeError, which says what to install."""
    return as_onnx(it.network, it.kind[1], {**it.metadata, **it.scaling.remarks()})


FORMATS: dict[str, Callable[[Subject], bytes]] = {
    "safetensors": safetensors_file,
    "pt": torch_file,
    "onnx": onnx_file,
}


def everything(it: Subject) -> tuple[dict[str, bytes], str]:
    """(all files by name, why there is no ONNX among them or "")."""
    found = {f"{it.stem}.{ending}": make(it) for ending, make in FORMATS.items() if ending != "onnx"}
    notice = missing()
    if not notice:
        try:
            found[f"{it.stem}.onnx"] = onnx_file(it)
        except SoftMergeError as error:  # the other files are no worse for it
            notice = str(error)
    found[script_name(it.stem)] = _script(it).encode()
    found |= {name: text.encode() for name, text in it.extras.items()}
    card = it.card(about(it.stem, found))
    return {CARD: card.encode(), **found}, notice


def _script(it: Subject) -> str:
    return script(it.stem, it.title, it.kind, it.network, it.scaling, _seen(it.dataset))


def _seen(dataset: str) -> Seen | None:
    """The scale of the training inputs; None where the data are not there any more."""
    try:
        inputs = load_data(DataSpec(dataset=dataset)).train_inputs.double()
    except SoftMergeError:
        return None
    numbers: Any = inputs.mean(), inputs.std(correction=0), inputs.min(), inputs.max()
    return Seen(*(float(number) for number in numbers))


def archive(files: Mapping[str, bytes], folder: str) -> bytes:
    """A zip archive of the files, in a folder of their own, not packed: weights hardly get smaller."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as made:
        for name, data in files.items():
            info = zipfile.ZipInfo(f"{folder}/{name}", LONG_AGO)
            info.external_attr = 0o644 << 16
            made.writestr(info, data)
    return content.getvalue()
