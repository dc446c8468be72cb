"""What gates did, in plain words: which sources were closed, and from where most of each layer comes."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from softmerge_core.events import BEST
from softmerge_core.experiments.merge.kept import AVERAGE
from softmerge_core.experiments.merge.rows import blocks, layer_shares
from softmerge_core.experiments.words import clipped, listed, plural
from softmerge_core.numbers import percent_text, range_text

MOST = 0.5  # the share beyond which a part comes mainly from one source
NAMED = 4  # layers or sources that one phrase names
WHOLE = {"model": "the whole network"}  # how a part is called that is no layer


def why_sentence(result: Mapping[str, Any]) -> str:
    """What was kept and what its gates did, from a run's result; empty where the result has no gates."""
    gates = result.get("gates")
    if result.get("winner") == BEST:
        best = clipped(str(result.get("best_source", "unknown")), 40)
        return f"No mixture did better on the validation data, so the best source ({best}) was kept as it is."
    if result.get("winner") == AVERAGE:
        return "No trained gates did better on the validation data, so the plain average was kept."
    if not gates or not gates["parts"]:
        return ""
    phrases = [_closed(result, gates), _origins(gates), _factors(gates)]
    return " ".join(phrase for phrase in phrases if phrase)


def _closed(result: Mapping[str, Any], gates: Mapping[str, Any]) -> str:
    excluded = result.get("excluded") or []
    columns = zip(gates["sources"], zip(*gates["value"], strict=True), strict=True)
    closed = [name for name, column in columns if not any(column) and name not in excluded]
    if not closed:
        return "No source was closed everywhere."
    return (
        f"{plural(len(closed), 'source')} {'was' if len(closed) == 1 else 'were'} closed everywhere: {_apart(closed)}."
    )


def _origins(gates: Mapping[str, Any]) -> str:
    """The layers of which most comes from one source, or how far they are from that."""
    owners = gates.get("groups") or gates["parts"]
    shares = _each_part(gates["weight"])
    found: dict[tuple[int, bool], list[str]] = {}
    for name, first, last in blocks(owners):
        wins = Counter(row.index(max(row)) for row in shares[first : last + 1] if max(row) > MOST)
        source, count = wins.most_common(1)[0] if wins else (0, 0)
        if count > (last - first + 1) / 2:
            found.setdefault((source, last > first), []).append(WHOLE.get(name, name))
    if not found:
        return _mixture(owners, gates)
    phrases = [_from(layers, gates["sources"][source], many) for (source, many), layers in found.items()]
    rest = "" if sum(map(len, found.values())) == len(blocks(owners)) else " The other layers are mixtures."
    text = listed(phrases[:NAMED])
    return f"{text[0].upper()}{text[1:]}.{rest}"


def _from(layers: Sequence[str], source: str, many: bool) -> str:
    names, name = _names(layers), clipped(source, 40)
    if many:
        return f"most channels of {names} come mainly from {name}"
    if layers[0] in WHOLE.values():
        return f"{names} comes mainly from {name}"
    return f"layer{'s' * (len(layers) > 1)} {names} come{'s' * (len(layers) == 1)} mainly from {name}"


def _mixture(owners: Sequence[str], gates: Mapping[str, Any]) -> str:
    """No layer comes mainly from one source: the largest share there is says how even the mixture is."""
    tops = [(max(row), row.index(max(row)), name) for name, row in layer_shares(owners, gates["weight"])]
    share, source, layer = max(tops, key=lambda top: top[0])
    name = clipped(gates["sources"][source], 40)
    largest = (
        f"the most that one source gives to a layer is {percent_text(share)} ({name}, in {WHOLE.get(layer, layer)})"
    )
    return f"Every layer is a mixture: {largest}."


def _factors(gates: Mapping[str, Any]) -> str:
    scale = gates.get("scale") or []
    moved = [factor for factor in scale if factor != 1]
    if not moved:
        return ""
    reach = range_text(f"{min(moved):.2f}", f"{max(moved):.2f}")
    return f"The weights of {len(moved):,} of {plural(len(scale), 'channel')} were also rescaled, by {reach}."


def _each_part(table: Sequence[Sequence[float]]) -> list[list[float]]:
    """The shares of the sources in each part; of a part that nothing is open for, all 0."""
    return [[value / (sum(row) or 1.0) for value in row] for row in table]


def _apart(names: Sequence[str]) -> str:
    """Names in one phrase, with what is behind the comma of "Source 2, signs flipped" in brackets."""
    parted = (clipped(name, 40).partition(", ") for name in names)
    return _names([f"{name} ({rest})" if rest else name for name, _, rest in parted])


def _names(names: Sequence[str]) -> str:
    short = [clipped(name, 40) for name in names[:NAMED]]
    return listed([*short, f"{len(names) - NAMED} more"] if len(names) > NAMED else short)
