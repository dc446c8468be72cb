"""How raw samples become what a network reads, and what classes are called, as far as the data say so.

Built-in data sets say it by ``Dataset.scale`` and ``Dataset.class_names``. A file of samples may hold, beside them,
``mean`` and ``sd`` (one number, one a channel, or one an input), by which its inputs were brought to scale,
``(raw - mean) / sd``, and ``class_names`` (texts, one a class). Loads no torch.
"""

import io
import json
import zipfile
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from softmerge_core.data import datasets
from softmerge_core.data.base import Dataset
from softmerge_core.errors import short

WANTED = ("mean", "sd", "class_names")
MOST = 4096  # numbers that are written into a script
MOST_BYTES = 2**20  # of such an array; a larger one is none of these
LONGEST = 200  # letters of a class's name


@dataclass(frozen=True)
class Scaling:
    """``mean`` and ``sd`` as nested lists that broadcast over a sample, None where they are not known.

    ``names``: what the classes are called, empty where that is not known; ``raw``: what raw samples are, in words.
    """

    mean: Any = None
    sd: Any = None
    names: tuple[str, ...] = ()
    raw: str = ""

    @property
    def known(self) -> bool:
        """Whether raw samples can be brought to scale."""
        return self.mean is not None

    def remarks(self) -> dict[str, str]:
        """What is known, as remarks that a file of weights may carry; each value is JSON."""
        scale = {"mean": self.mean, "sd": self.sd, "raw": self.raw} if self.known else None
        said = {"softmerge.scale": scale, "softmerge.class_names": self.names}
        return {key: json.dumps(value) for key, value in said.items() if value}


def scaling_of(dataset: str, input_shape: tuple[int, ...], classes: int) -> Scaling:
    """What a data set says of its scale and classes; nothing where it is a file that is gone, or does not fit."""
    if (known := datasets().get(dataset)) is not None:
        return _built_in(known) if (known.input_shape, known.classes) == (tuple(input_shape), classes) else Scaling()
    arrays = _arrays(Path(dataset)) if dataset.endswith(".npz") else {}
    mean, sd = (_broadcast(arrays.get(key), input_shape) for key in ("mean", "sd"))
    if mean is None or sd is None or not (sd > 0).all():
        mean = sd = None
    return Scaling(_listed(mean), _listed(sd), _names(arrays.get("class_names"), classes))


def _built_in(known: Dataset) -> Scaling:
    if known.scale is None:
        return Scaling(names=known.class_names)
    scale = known.scale()
    return Scaling(scale.mean, scale.sd, known.class_names, scale.raw)


def _arrays(path: Path) -> dict[str, np.ndarray]:
    """Those of the three arrays that the file holds; none where it cannot be read."""
    try:
        with path.open("rb") as file, zipfile.ZipFile(file) as archive:
            members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            small = [key for key in WANTED if key in members and members[key].file_size <= MOST_BYTES]
            found = {key: _array(archive.read(members[key])) for key in small}
    except Exception:  # zipfile, its decompressors and numpy's header parser raise over a dozen types
        return {}
    return {key: array for key, array in found.items() if array is not None}


def _array(content: bytes) -> np.ndarray | None:
    """The array in the bytes of an .npy file; None where it claims to be more than there is. Raises ValueError."""
    stream = io.BytesIO(content)
    new = np.lib.format.read_magic(stream) != (1, 0)
    read = np.lib.format.read_array_header_2_0 if new else np.lib.format.read_array_header_1_0
    shape, fortran, dtype = read(stream)
    count, start = prod(shape), stream.tell()
    if dtype.hasobject or min(shape, default=1) < 0 or count * dtype.itemsize > len(content) - start:
        return None
    return np.frombuffer(content, dtype, count, start).reshape(shape, order="F" if fortran else "C")


def _broadcast(array: np.ndarray | None, input_shape: tuple[int, ...]) -> np.ndarray | None:
    """Numbers in a shape that broadcasts over one sample; None for anything else."""
    if array is None or array.dtype.kind not in "fiu" or not np.isfinite(array).all() or array.size > MOST:
        return None
    values = array.astype(np.float64)
    if values.size == 1:
        return values.reshape(())
    if values.size == prod(input_shape):
        return values.reshape(input_shape)
    if values.size == input_shape[0]:
        return values.reshape(-1, *[1] * (len(input_shape) - 1))
    return None


def _listed(values: np.ndarray | None) -> Any:
    return None if values is None else values.tolist()


def _names(array: np.ndarray | None, classes: int) -> tuple[str, ...]:
    if array is None or array.dtype.kind != "U" or array.shape != (classes,):
        return ()
    return tuple(short(name, LONGEST) for name in array.tolist())
