"""Which inputs each network takes: apart from the networks, so that checking a fit loads no torch."""

from softmerge_core.errors import DataError

KIND_OF_RANK = {1: "vector", 2: "sequence", 3: "image"}  # [F]; [channels, length]; [channels, height, width]
TAKES: dict[str, tuple[str, ...]] = {
    "mlp": ("vector", "sequence", "image"),
    "cnn1d": ("sequence",),
    "lstm": ("sequence", "image"),
    "vgg": ("image",),
    "resnet": ("image",),
    "vit": ("image",),
}
TORCHVISION = "torchvision/"


def kinds_of(name: str) -> tuple[str, ...]:
    """The kinds of input the network of this name takes; one that is not listed takes any."""
    return ("image",) if name.startswith(TORCHVISION) else TAKES.get(name, tuple(KIND_OF_RANK.values()))


def check_fit(name: str, input_shape: tuple[int, ...], classes: int) -> None:
    """Raises DataError when network ``name`` cannot take samples of ``input_shape`` or tell ``classes`` apart."""
    if classes < 2:
        raise DataError(f"network {name!r}: expected at least 2 classes, got {classes}")
    if not input_shape or min(input_shape) < 1:
        raise DataError(f"network {name!r}: expected positive input sizes, got {tuple(input_shape)}")
    kind = KIND_OF_RANK.get(len(input_shape), f"{len(input_shape)}-dimensional array")
    if kind not in kinds_of(name):
        expected = " or ".join(kinds_of(name))
        raise DataError(f"network {name!r}: expected {expected} inputs, got {kind} {tuple(input_shape)}")
    if name in ("vgg", "resnet", "vit") and min(input_shape[1:]) < 8:
        raise DataError(f"network {name!r}: expected images of at least 8x8, got {tuple(input_shape)}")
