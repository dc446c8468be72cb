"""Weights files: safetensors in and out; legacy .pt only through a disposable child process."""

import hashlib
import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from softmerge_core.checkpoints.header import check_entries, check_name, check_start
from softmerge_core.checkpoints.legacy_scan import scan
from softmerge_core.errors import CheckpointError
from softmerge_core.home import write_atomic

LEGACY = (".pt", ".pth", ".bin", ".ckpt", ".pkl")
MAX_BYTES = 4 * 2**30
CHILD = Path(__file__).with_name("legacy_child.py")
CHILD_SECONDS = 60

logger = logging.getLogger(__name__)


def load_checkpoint(path: str | Path, *, require_finite: bool = False) -> dict[str, Tensor]:
    """The state dict (layer name to CPU tensor) of a safetensors or legacy torch file.

    A legacy file is opened by ``torch.load(weights_only=True)`` in a limited child process, never otherwise.
    ``require_finite`` also refuses NaN and Inf. Raises CheckpointError naming the file and the tensor.
    """
    path = Path(path)
    if not path.is_file():
        raise CheckpointError(f"{path.name}: expected a weights file, found none at {path}")
    if path.stat().st_size > MAX_BYTES:
        raise CheckpointError(f"{path.name}: {path.stat().st_size} bytes, more than the {MAX_BYTES} allowed")
    if path.suffix.lower() == ".safetensors":
        state = _load_safetensors(path)
    elif path.suffix.lower() in LEGACY:
        state = _load_legacy(path)
    else:
        raise CheckpointError(f"{path.name}: expected a file ending in .safetensors, {', '.join(LEGACY)}")
    if require_finite:
        check_finite(state, path.name)
    return state


def _load_safetensors(path: Path) -> dict[str, Tensor]:
    check_start(path)
    try:
        with safe_open(path, framework="pt") as file:
            check_entries(file, path.name)
            tensors: dict[str, Tensor] = file.get_tensors()
            return tensors
    except (SafetensorError, OSError, ValueError, KeyError, RuntimeError) as error:
        raise CheckpointError(f"{path.name}: damaged or not safetensors ({error})") from error


def _load_legacy(path: Path) -> dict[str, Tensor]:
    budget = min(path.stat().st_size * 2 + 2**20, MAX_BYTES)
    scan(path, budget)
    with tempfile.TemporaryDirectory(prefix="softmerge-") as folder:
        target = Path(folder) / "state.safetensors"
        _run_child(path, target, budget)
        state = _load_safetensors(target)
        # safetensors maps the file; copies outlive the folder
        return {name: tensor.clone() for name, tensor in state.items()}


def _run_child(path: Path, target: Path, budget: int) -> None:
    """Convert in a process of its own; -I keeps this package and the working folder off its import path."""
    command = [
        sys.executable,
        "-I",
        str(CHILD),
        str(path.resolve()),
        str(target),
        str(budget),
        str(CHILD_SECONDS),
    ]
    environment = {"OMP_NUM_THREADS": "1", "PATH": os.environ.get("PATH", ""), "CUDA_VISIBLE_DEVICES": ""}
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            timeout=CHILD_SECONDS,
            check=False,
            env=environment,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired as error:
        logger.warning("%s was not read within %d s; the process that read it was ended", path, CHILD_SECONDS)
        raise CheckpointError(f"{path.name}: not read within {CHILD_SECONDS} s") from error
    if done.returncode or not target.is_file():
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        reason = lines[-1] if lines else f"the reading process ended with code {done.returncode}"
        logger.warning("%s was refused by the process that reads it (code %d): %s", path, done.returncode, reason)
        raise CheckpointError(f"{path.name}: {reason}")


def check_finite(state: Mapping[str, Tensor], what: str) -> None:
    """Raise CheckpointError naming the first tensor of ``state`` that holds NaN or Inf."""
    for name, tensor in state.items():
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise CheckpointError(f"{what}: tensor {name!r} holds NaN or Inf")


def save_checkpoint(module_or_state: nn.Module | Mapping[str, Tensor], path: str | Path) -> None:
    """Write a network's state as safetensors, whole or not at all; tied weights are written once a name.

    Raises CheckpointError if a name cannot be a layer's, or the file cannot be written.
    """
    path = Path(path)
    state = module_or_state.state_dict() if isinstance(module_or_state, nn.Module) else module_or_state
    for name in state:
        check_name(name, path.name)
    payload = safetensors.torch.save(
        {name: tensor.detach().cpu().clone().contiguous() for name, tensor in state.items()}
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, payload)
    except OSError as error:
        raise CheckpointError(f"{path.name}: could not be written ({error.strerror})") from error


def state_hash(state: Mapping[str, Tensor]) -> str:
    """SHA-256 (hex) over names, dtypes, shapes and bytes, in the order of the names."""
    digest = hashlib.sha256()
    for name, tensor in sorted(state.items()):
        digest.update(f"{name}\0{tensor.dtype}\0{tuple(tensor.shape)}\0".encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def load_into(network: nn.Module, state: Mapping[str, Tensor], what: str) -> None:
    """Copy ``state`` into ``network``: a ``module.`` prefix is stripped, dtypes follow the network.

    Raises CheckpointError naming ``what`` and the first missing, unexpected or mis-shaped layer; the
    network is then unchanged.
    """
    if state and all(name.startswith("module.") for name in state):
        state = {name.removeprefix("module."): tensor for name, tensor in state.items()}
    own = network.state_dict()
    missing = [name for name in own if name not in state and not name.endswith("num_batches_tracked")]
    unexpected = [name for name in state if name not in own]
    if missing:
        raise CheckpointError(f"{what}: layer {missing[0]!r} is missing ({len(missing)} of {len(own)} are)")
    if unexpected:
        raise CheckpointError(f"{what}: layer {unexpected[0]!r} does not belong to this network")
    for name, tensor in state.items():
        if tensor.shape != own[name].shape:
            expected, got = tuple(own[name].shape), tuple(tensor.shape)
            raise CheckpointError(f"{what}: layer {name!r}: expected shape {expected}, got {got}")
    network.load_state_dict(dict(state), strict=False)
