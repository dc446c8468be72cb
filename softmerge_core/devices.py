"""The names of what a merge computes on, as torch has them: "cpu", "cuda:0". Loads no torch."""

import re
from collections.abc import Sequence

from softmerge_core.errors import SettingsError

DEVICES = ("cpu", "cuda", "mps", "xpu")


def device_name(text: str) -> str:
    """``text`` if it may name a device: "auto", or one of DEVICES, perhaps with a number; raises ValueError."""
    if not re.fullmatch(rf"auto|({'|'.join(DEVICES)})(:\d{{1,3}})?", text, re.ASCII):
        raise ValueError(f"expected auto or one of {', '.join(DEVICES)}, perhaps with a number as in cuda:0")
    return text


def check_device(device: str, found: Sequence[str]) -> None:
    """Raise SettingsError unless ``device`` is "auto" or among those ``found``, named as torch does: "cuda:0"."""
    same = {name.partition(":")[0] if ":" in name else f"{name}:0" for name in found}  # "cuda" is "cuda:0"
    if device not in ("auto", *found, *same):
        raise SettingsError(f"device: expected one that is there ({', '.join(('auto', *found))}), got {device!r}")
