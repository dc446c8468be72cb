"""The disposable process that opens a legacy .pt file: ``python -I legacy_child.py IN OUT BYTES SECONDS``.

It imports nothing of this package, limits its own memory, time and output, loads with ``weights_only=True``
and nothing else, and writes the tensors to OUT as safetensors. Failing, it says why in one line on stderr.
"""

import resource
import sys
from typing import Any

import psutil
import torch
from safetensors.torch import save_file

WRAPPERS = ("state_dict", "model_state_dict", "model", "state", "net")
MAX_TENSORS = 100_000


def limit(budget: int, seconds: int) -> None:
    """At most ``budget`` bytes beyond what importing torch took, and ``seconds`` more of processor time."""
    memory = psutil.Process().memory_info().vms + 3 * budget + 2**28
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    used = int(sum(psutil.Process().cpu_times()[:2]))
    resource.setrlimit(resource.RLIMIT_CPU, (used + seconds, used + seconds))
    resource.setrlimit(resource.RLIMIT_FSIZE, (budget + 2**20, budget + 2**20))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def state_of(loaded: Any) -> dict[str, torch.Tensor]:
    """The state dict in what was loaded, directly or under one of the usual keys."""
    if isinstance(loaded, dict):
        for key in WRAPPERS:
            if isinstance(loaded.get(key), dict):
                return state_of(loaded[key])
        if loaded and all(isinstance(name, str) for name in loaded):
            wrong = [name for name, value in loaded.items() if not isinstance(value, torch.Tensor)]
            if not wrong:
                return loaded
            raise ValueError(f"expected only tensors, but {wrong[0]!r} is a {type(loaded[wrong[0]]).__name__}")
    raise ValueError(f"expected a state dict (layer name to tensor), got {type(loaded).__name__}")


def check(state: dict[str, torch.Tensor], budget: int) -> None:
    """Refuse what is small on disk and huge in memory, before anything is copied."""
    if len(state) > MAX_TENSORS:
        raise ValueError(f"expected at most {MAX_TENSORS} tensors, got {len(state)}")
    total = 0
    for name, tensor in state.items():
        if tensor.layout is not torch.strided or tensor.is_quantized or tensor.is_complex():
            raise ValueError(f"tensor {name!r}: only plain dense real tensors are read")
        size = tensor.numel() * tensor.element_size()
        if size > tensor.untyped_storage().nbytes():
            raise ValueError(f"tensor {name!r}: shape {tuple(tensor.shape)} is larger than its stored data")
        total += size
    if total > budget:
        raise ValueError(f"the tensors take {total} bytes, more than the {budget} allowed")


def main(source: str, target: str, budget: int, seconds: int) -> None:
    """Convert ``source`` to ``target``."""
    limit(budget, seconds)
    loaded = torch.load(source, map_location="cpu", weights_only=True)
    state = state_of(loaded)
    check(state, budget)
    # cloned, because safetensors holds no views; tied weights become equal ones
    save_file({name: tensor.detach().clone().contiguous() for name, tensor in state.items()}, target)


if __name__ == "__main__":
    try:
        main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    except BaseException as error:
        text = " ".join(str(error).split())
        print(f"{type(error).__name__}: {text[:300]}", file=sys.stderr)
        sys.exit(1)
