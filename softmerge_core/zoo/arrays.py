"""The weights of a model as plain arrays, for who draws or computes without torch."""

import numpy as np

from softmerge_core.errors import CheckpointError
from softmerge_core.zoo.sources import called, weights_file


def arrays_of(model: str) -> dict[str, np.ndarray]:
    """The tensors of a SourceSpec's ``model`` by name, as float32. Loads no torch.

    Raises NotFoundError for an unknown model, CheckpointError for a file that cannot be read without torch.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    path = weights_file(model)
    try:
        return {name: value.astype(np.float32) for name, value in load_file(path).items()}
    except (SafetensorError, OSError, ValueError, TypeError, KeyError) as error:
        raise CheckpointError(f"{called(path)}: expected plain numbers in safetensors ({error})") from error
