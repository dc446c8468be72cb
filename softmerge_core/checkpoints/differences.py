"""How the tensors of a file differ from those of a network, told by the layer. Loads no torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from softmerge_core.errors import short

Shapes = Mapping[str, tuple[int, ...]]  # of tensors, by their names
COUNTER = "num_batches_tracked"  # of BatchNorm, which older files lack and nothing needs
LAYER_OF_RANK = {2: "a linear layer", 3: "a 1-D convolution", 4: "a convolution", 5: "a 3-D convolution"}


@dataclass(frozen=True)
class Differences:
    """Names of tensors: those that the file lacks, those of no layer of the network, and those of another shape.

    ``total``: how many the network has. They are in the order of the network's layers, or of the file.
    """

    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    reshaped: tuple[str, ...]
    total: int

    def __len__(self) -> int:
        return len(self.missing) + len(self.unexpected) + len(self.reshaped)

    @property
    def alike(self) -> float:
        """How far the names agree: 0 where none is common, 1 where all are."""
        common = self.total - len(self.missing)
        return common / max(1, self.total + len(self.unexpected))


def differences(own: Shapes, given: Shapes) -> Differences:
    """Compare the tensors ``given`` in a file with a network's ``own``."""
    return Differences(
        missing=tuple(name for name in own if name not in given and not name.endswith(COUNTER)),
        unexpected=tuple(name for name in given if name not in own),
        reshaped=tuple(name for name in own if name in given and own[name] != given[name]),
        total=sum(not name.endswith(COUNTER) or name in given for name in own),
    )


def told(own: Shapes, given: Shapes) -> str:
    """Return what keeps a file from being of a network: the first layer that differs, and what that means; or ""."""
    found = differences(own, given)
    if found.missing and found.unexpected:
        both = f"layer {short(found.missing[0])!r} is missing, and {short(found.unexpected[0])!r} does not belong"
        return f"{both}: {_counts(found)}"
    if found.missing:
        lost = len(found.missing)
        whole = _layers(found.missing) - _layers([name for name in own if name in given])
        why = f": it has {_many(len(whole), 'layer')} less" if whole else ""
        return f"layer {short(found.missing[0])!r} is missing ({lost} of {found.total} tensors are){why}"
    if found.unexpected:
        whole = _layers(found.unexpected) - _layers(list(own))
        why = f": it has {_many(len(whole), 'layer')} more" if whole else ""
        rest = len(found.unexpected) - 1
        others = f" (nor {'does' if rest == 1 else 'do'} {_many(rest, 'other tensor')})" if rest else ""
        return f"layer {short(found.unexpected[0])!r} does not belong to this network{others}{why}"
    return _reshaped(own, given, found.reshaped) if found.reshaped else ""


def _reshaped(own: Shapes, given: Shapes, names: Sequence[str]) -> str:
    name = next((name for name in names if len(own[name]) != len(given[name])), names[0])
    expected, got = own[name], given[name]
    where = f"layer {short(name)!r}: expected shape {short(expected)}, got {short(got)}"
    if len(expected) != len(got):
        kinds = [LAYER_OF_RANK.get(len(size)) for size in (expected, got)]
        return f"{where}: {kinds[1]} in the place of {kinds[0]}" if all(kinds) else where
    rest = len(names) - 1
    others = f", and {_many(rest, 'other tensor')} too" if rest else ""
    return f"{where}: {_meaning(own, given, names)}{others}"


def _meaning(own: Shapes, given: Shapes, names: Sequence[str]) -> str:
    """Return what other shapes of one rank mean: other classes where only the last layer's rows differ."""
    last = [key for key in own if len(own[key]) > 1][-1:]
    rows = all(own[key][1:] == given[key][1:] for key in names)
    if rows and last and _layers(names) == _layers(last):
        return f"it tells {given[last[0]][0]} classes instead of {own[last[0]][0]}"
    return "another width"


def _layers(names: Sequence[str]) -> set[str]:
    """Return the layers that tensors of these names belong to."""
    return {name.rpartition(".")[0] for name in names}


def _counts(found: Differences) -> str:
    lost, more, other = len(found.missing), len(found.unexpected), len(found.reshaped)
    said = f"{lost} of {found.total} tensors are missing, {more} {'is' if more == 1 else 'are'} of other layers"
    return f"{said}, {other} {'has' if other == 1 else 'have'} another shape" if other else said


def _many(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
