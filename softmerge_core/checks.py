"""Checks before any training starts; every error names the source, layer or split."""

import copy
from collections.abc import Collection, Mapping, Sequence

import torch
from torch import Tensor, nn

from softmerge_core.data.base import MergeData
from softmerge_core.devices import check_device
from softmerge_core.errors import DataError, SourceError, short
from softmerge_core.evaluation import evaluation_mode, log_probabilities
from softmerge_core.structure.kinds import check_copyable, check_network
from softmerge_core.structure.sameness import all_tensors, check_same

RESERVED = (  # series in events and results that are no sources
    "soft", "average", "best_source", "ensemble", "average_rescaled", "best_source_rescaled",
)  # fmt: skip


def unique_names(names: Sequence[str], taken: Collection[str] = ()) -> tuple[str, ...]:
    """Names by which sources can be told apart from each other and from methods; repeated names get a number.

    ``taken``: further names that none may have, beside RESERVED.
    """
    result: list[str] = []
    for name in map(str, names):
        candidate, number = name, 2
        while candidate in result or candidate in RESERVED or candidate in taken:
            candidate, number = f"{name} ({number})", number + 1
        result.append(candidate)
    return tuple(result)


def devices() -> tuple[str, ...]:
    """Return the devices that torch can compute on here, by the names it gives them: "cpu" first, then every GPU."""
    kinds = (("cuda", torch.cuda), ("mps", torch.mps), ("xpu", torch.xpu))
    counts = {kind: module.device_count() if module.is_available() else 0 for kind, module in kinds}
    named = [f"{kind}:{number}" for kind, count in counts.items() if kind != "mps" for number in range(count)]
    return ("cpu", *named, *(["mps"] if counts["mps"] else []))


def usable_device(device: str) -> str:
    """Return the device to compute on, for "auto" the first GPU or else the CPU; raises SettingsError if absent."""
    found = devices()
    if device == "auto":
        return found[1] if len(found) > 1 else "cpu"
    check_device(device, found)
    return device


def check_architecture(sources: Sequence[nn.Module], names: Sequence[str]) -> None:
    """Raise SourceError, naming the layer, unless two or more networks can be merged and differ in values alone.

    ``softmerge_core.structure`` says which kinds of networks are refused (``check_network``) and what is compared
    (``check_same``).
    """
    check_each(sources, names)
    check_copyable(sources[0], names[0])
    for source, name in zip(sources[1:], names[1:], strict=True):
        check_same(sources[0], names[0], source, name)


def check_each(sources: Sequence[nn.Module], names: Sequence[str]) -> None:
    """Raise SourceError, naming the layer, unless two or more networks, of whatever architectures, can be merged."""
    if len(names) != len(sources):
        raise SourceError(f"expected one name a source: {len(sources)} sources, {len(names)} names")
    if len(sources) < 2:
        raise SourceError(f"expected two or more sources, got {len(sources)}: {', '.join(names) or 'none'}")
    for source, name in zip(sources, names, strict=True):
        check_network(source, name)
    if not any(True for _ in sources[0].parameters()):
        raise SourceError(f"source {names[0]!r} has no parameters to merge")


def are_alike(sources: Sequence[nn.Module]) -> bool:
    """Whether networks are of one architecture, and differ in values alone."""
    try:
        for source in sources[1:]:
            check_same(sources[0], "", source, "")
    except SourceError:
        return False
    return True


def check_readers(sources: Sequence[nn.Module], names: Sequence[str], inputs: Tensor) -> None:
    """Raise DataError unless networks of several architectures all read ``inputs``, SourceError unless their classes
    are as many.
    """
    counts = [count_classes(source, name, inputs) for source, name in zip(sources, names, strict=True)]
    for name, count in zip(names, counts, strict=True):
        if count != counts[0]:
            told = f"the first tells {counts[0]} classes, the second {count}"
            raise SourceError(f"sources {names[0]!r} and {name!r} are of two architectures, and {told}")
    for source, name in zip(sources, names, strict=True):
        check_copyable(source, name)


def in_one_precision(sources: Sequence[nn.Module]) -> list[nn.Module]:
    """Return the ``sources``, each with floating-point numbers of other dtypes than the first as a copy in its dtypes.

    What the first does not have, for it is of another architecture, takes the dtype of the first's first parameter.
    """
    wanted = {name: tensor.dtype for name, tensor in all_tensors(sources[0]).items() if tensor.is_floating_point()}
    usual = next(sources[0].parameters()).dtype
    result = []
    for source in sources:
        floats = {name: tensor for name, tensor in all_tensors(source).items() if tensor.is_floating_point()}
        if any(tensor.dtype != wanted.get(name, usual) for name, tensor in floats.items()):
            source = copy.deepcopy(source)  # noqa: PLW2901
            for name, tensor in all_tensors(source).items():
                if name in floats:
                    tensor.data = tensor.data.to(wanted.get(name, usual))
        result.append(source)
    return result


def non_finite_tensor(source: nn.Module) -> str | None:
    """The name of the first tensor with a NaN or Inf in it, or None."""
    for key, value in source.state_dict().items():
        if value.is_floating_point() and not torch.isfinite(value).all():
            return key
    return None


def check_finite(sources: Sequence[nn.Module], names: Sequence[str]) -> None:
    """Raise SourceError, naming the source and the tensor, unless all weights are finite."""
    for source, name in zip(sources, names, strict=True):
        if tensor := non_finite_tensor(source):
            raise SourceError(f"source {name!r}: {tensor} has NaN or Inf in it; expected finite numbers")


def check_base(base: nn.Module, first: nn.Module, name: str) -> None:
    """Raise SourceError unless the base model is finite and of the architecture of the ``first`` source."""
    check_architecture((first, base), (name, "base model"))
    check_finite((base,), ("base model",))


def check_split(split: str, inputs: Tensor, labels: Tensor, classes: int) -> None:
    """Raise DataError unless there are finite inputs [N, ...], N > 0, and int64 labels [N] in 0..classes-1."""
    if len(inputs) == 0:
        raise DataError(f"no {split} data: merging needs at least one {split} sample")
    if labels.shape != inputs.shape[:1]:
        raise DataError(f"{split} labels: expected shape [{len(inputs)}], got {list(labels.shape)}")
    if labels.dtype != torch.int64:
        raise DataError(f"{split} labels: expected dtype int64, got {labels.dtype}")
    outside = ((labels < 0) | (labels >= classes)).nonzero()
    if len(outside):
        index = int(outside[0])
        raise DataError(
            f"{split} labels: expected 0 to {classes - 1}, got {int(labels[index])} at index {index} "
            f"({len(outside)} outside in all)"
        )
    if inputs.is_floating_point() and not torch.isfinite(inputs).all():
        raise DataError(f"{split} inputs: expected finite numbers, got NaN or Inf")


def outputs_of(network: nn.Module, name: str, inputs: Tensor) -> object:
    """Return what a network makes of some inputs in evaluation mode; raises DataError if it cannot read them."""
    try:
        with torch.no_grad(), evaluation_mode(network):
            return network(inputs)
    except Exception as error:  # a network's forward is anybody's code
        raise _unreadable(name, inputs, error) from error


def _unreadable(name: str, inputs: Tensor, error: Exception) -> DataError:
    reason = short(next(iter(str(error).splitlines()), type(error).__name__), 200)
    return DataError(f"source {name!r} cannot read inputs of shape {list(inputs.shape[1:])}: {reason}")


def count_classes(network: nn.Module, name: str, inputs: Tensor) -> int:
    """Return the number of the network's classes, from one forward pass; raises DataError if the data do not fit."""
    if len(inputs) == 0:
        raise DataError("no validation data: merging needs at least one validation sample")
    outputs = outputs_of(network, name, inputs[:2])
    expected = f"source {name!r}: expected outputs [N, classes] in one floating-point tensor"
    if not isinstance(outputs, Tensor):
        raise DataError(f"{expected}, got {_kind(outputs)}; merge networks whose forward returns the logits alone")
    if outputs.dim() != 2 or len(outputs) != len(inputs[:2]) or not outputs.numel():
        raise DataError(f"{expected}, got shape {list(outputs.shape)} for {len(inputs[:2])} samples")
    if not outputs.is_floating_point():
        raise DataError(f"{expected}, got {outputs.dtype}")
    return int(outputs.shape[1])


def _kind(outputs: object) -> str:
    """Return what a network gave, and what is in it: "a dict (logits, loss)", "a tuple (Tensor, Tensor)"."""
    parts: list[str] = []
    if isinstance(outputs, Mapping):
        parts = [str(key) for key in outputs]
    elif isinstance(outputs, tuple | list):
        parts = [type(part).__name__ for part in outputs]
    return short(f"a {type(outputs).__name__} ({', '.join(parts)})" if parts else f"a {type(outputs).__name__}")


def check_merge_data(data: MergeData, network: nn.Module, name: str) -> None:
    """Raise DataError unless both splits fit each other and ``network``."""
    classes = count_classes(network, name, data.validation_inputs)
    check_split("train", data.train_inputs, data.train_labels, classes)
    check_split("validation", data.validation_inputs, data.validation_labels, classes)


def admit(
    sources: Sequence[nn.Module], names: Sequence[str], inputs: Tensor, non_finite: str, device: str = "cpu"
) -> tuple[dict[int, Tensor], tuple[str, ...]]:
    """Return the sources that may take part: (position -> log-probabilities [N, classes] on ``inputs``, notices).

    A source with NaN or Inf in its weights or outputs raises SourceError, or with ``non_finite`` "exclude" is left
    out with a notice; SourceError when none is left, DataError for a source that cannot read ``inputs``.
    """
    admitted: dict[int, Tensor] = {}
    notices: list[str] = []
    for position, name in enumerate(names):
        outputs, fault = _finite_outputs(sources[position], name, inputs, device)  # holds no more than this one
        if outputs is not None:
            admitted[position] = outputs
        elif non_finite == "refuse":
            raise SourceError(f"source {name!r}: {fault}; expected finite numbers (or exclude such sources)")
        else:
            notices.append(f"{name} is left out: {fault}.")
    if not admitted:
        raise SourceError(f"no source is left to merge: {' '.join(notices)}")
    return admitted, tuple(notices)


def _finite_outputs(source: nn.Module, name: str, inputs: Tensor, device: str) -> tuple[Tensor | None, str]:
    tensor = non_finite_tensor(source)
    if tensor:
        return None, f"{tensor} has NaN or Inf in it"
    try:
        outputs = log_probabilities(source, inputs.to(device))
    except Exception as error:
        raise _unreadable(name, inputs, error) from error
    return (outputs, "") if torch.isfinite(outputs).all() else (None, "its outputs on the validation data overflow")
