"""What a run used of the reader's own: models, data and weights files, and how a bundle names them. Loads no torch."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from softmerge_core.export.bundle.manifest import DATA, MEMBER, MODELS, SOURCES, LeftOut
from softmerge_core.home import home
from softmerge_core.networks import registered
from softmerge_core.zoo import is_weights_file, library, slug
from softmerge_core.zoo.library import LibraryModel, library_folder
from softmerge_core.zoo.sources import LIBRARY

FREE = ("name",)  # fields of a spec that hold a reader's own words
GONE = "it is not there any more"


@dataclass(frozen=True)
class Own:
    """A model, data file or weights file. ``value``: as the spec names it; ``name``: as the bundle does."""

    kind: Literal["model", "data", "weights"]
    value: str
    name: str
    path: Path
    model: LibraryModel | None = None


def own_things(spec: Mapping[str, Any]) -> tuple[list[Own], list[LeftOut]]:
    """What the plain values of a spec name of the reader's own, and what of it is gone."""
    known, found, gone = library(), list[Own](), list[LeftOut]()
    values = list(dict.fromkeys(text for key, text in texts(spec) if key not in FREE))
    models = [known[name] for value in values if (name := value.removeprefix(LIBRARY)) != value and name in known]
    for value in dict.fromkeys([*values, *(model.dataset for model in models)]):
        thing = _own(value, known, {other.name for other in found})
        if thing is None:
            continue
        if thing.path.exists():
            found.append(thing)
        else:
            gone.append(LeftOut(file=thing.name, why=GONE))
    gone += [_program(model.network) for model in models if model.network in registered()]
    return found, list(dict.fromkeys(gone))


def _program(network: str) -> LeftOut:
    """A network of the reader's own is a program, which nobody should run because it lay in a bundle."""
    known = registered()[network]
    why = f"the network {network!r} is registered by this program of your own: start with --networks to use it"
    return LeftOut(file=Path(known.file).name, why=why)


def texts(values: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Every text in plain values, with the key that it stands at."""
    if isinstance(values, str):
        yield key, values
    elif isinstance(values, Mapping):
        for name, value in values.items():
            yield from texts(value, str(name))
    elif isinstance(values, (list, tuple)):
        for value in values:
            yield from texts(value, key)


def _own(value: str, known: Mapping[str, LibraryModel], taken: set[str]) -> Own | None:
    if (name := value.removeprefix(LIBRARY)) != value:
        place = name if name in known else f".{slug(name)}"  # where no model is
        return Own("model", value, f"{MODELS}{name}", library_folder() / place, known.get(name))
    if value.endswith(".npz"):
        return Own("data", value, _free(DATA, value, ".npz", taken), Path(value))
    if is_weights_file(value):
        return Own("weights", value, _free(SOURCES, value, ".safetensors", taken), Path(value))
    return None


def _free(place: str, value: str, ending: str, taken: set[str]) -> str:
    """A name in a bundle for a file: its own, by which runs call their sources, where a bundle may hold it."""
    stem, number = Path(value).stem, 1
    if not MEMBER.fullmatch(f"{place}{stem}{ending}"):
        stem = slug(stem, "file")
    while (name := f"{place}{stem}{f'-{number}' if number > 1 else ''}{ending}") in taken:
        number += 1
    return name


def anonymous(text: bytes, things: list[Own]) -> bytes:
    """JSON without the paths of this machine: its own files by their names in the bundle, folders left out."""
    swaps = {thing.value: thing.name for thing in things if thing.kind != "model"}
    swaps |= {f"{folder}/": sign for folder, sign in ((home().absolute(), "(home)/"), (Path.home(), "~/"))}
    for path, name in sorted(swaps.items(), key=lambda pair: -len(pair[0])):
        for written in _inside(path) if path.strip("/") else ():
            text = text.replace(written, name.encode())
    return text


def _inside(text: str) -> set[bytes]:
    """A text as it may stand between the quotation marks of JSON."""
    return {json.dumps(text, ensure_ascii=plain)[1:-1].encode(errors="backslashreplace") for plain in (True, False)}


def replaced(values: Any, swaps: Mapping[str, str], key: str = "") -> Any:
    """Plain values in which texts that are named by ``swaps`` stand in their new form, but for a reader's own words."""
    if isinstance(values, str):
        return swaps.get(values, values) if key not in FREE else values
    if isinstance(values, Mapping):
        return {name: replaced(value, swaps, str(name)) for name, value in values.items()}
    if isinstance(values, list):
        return [replaced(value, swaps, key) for value in values]
    return values
