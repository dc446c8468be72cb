"""The card of one trained network, of a family or of the reader's library, from what its manifest says."""

from collections.abc import Sequence

from softmerge_core.attacks import find_attack
from softmerge_core.experiments.merge.lineage import DataOrigin, NetworkOrigin
from softmerge_core.experiments.samples import samples_of
from softmerge_core.export.card import TENSORS, measured, network_rows, scaling_rows, settings_rows, use
from softmerge_core.export.markdown import code, front_matter, page, said, table, told
from softmerge_core.export.scaling import Scaling
from softmerge_core.numbers import usual_spaces
from softmerge_core.zoo import FamilyInfo, LibraryModel, ModelInfo

SPLITS = ("train", "validation", "test")


def model_card(
    model: str,
    info: ModelInfo,
    home: FamilyInfo | LibraryModel,
    data: DataOrigin | None,
    versions: dict[str, str],
    registered: NetworkOrigin | None,
    scaling: Scaling,
    files: Sequence[tuple[str, str]],
) -> str:
    """The card as Markdown. ``data``: None where the file of the data is gone."""
    shape = " x ".join(map(str, home.input_shape))
    head = front_matter([("library_name", "pytorch"), ("model_name", info.title)])
    poisoned = ""
    if info.attack:
        poisoned = f"**It was spoiled on purpose** ({find_attack(info.attack.kind).title.lower()}): do not rely on it."
    return page(
        head,
        f"# {said(info.title)}",
        f"A trained {code(home.network)} for inputs of {shape} that tells {home.classes} classes apart.",
        poisoned,
        "## Use\n\n" + use("load_model.py", files),
        "## How good it is\n\n" + _accuracies(info, home.dataset),
        "## How it was made\n\n" + _made(info),
        "## Data\n\n" + _data(data, scaling),
        "## What this does not show\n\n" + LIMITS,
        "## Where it comes from\n\n" + _origin(model, info, versions, registered),
    )


LIMITS = """- It was measured on one data set. How it does on other data is not known.
- The interval tells what other test samples might have given, and nothing else.
- No licence is stated here: those of the weights and of the data hold."""


def _accuracies(info: ModelInfo, dataset: str) -> str:
    """Accuracies by split; the interval is that of the test samples, where their number is known."""
    n = samples_of(dataset)
    rows = []
    for split in SPLITS:
        if (accuracy := info.accuracy.get(split)) is not None:
            tested = n if split == "test" else 0
            rows.append([f"{split} ({n})" if tested else split, *measured(accuracy, None, tested)])
    return table(("Samples", "Accuracy", "95\u00a0% interval"), rows) if rows else "It was not measured."


def _made(info: ModelInfo) -> str:
    how = told(usual_spaces(info.how))
    return page(how, table(("Setting", "Value"), settings_rows(info.settings))) if info.settings else how


def _data(data: DataOrigin | None, scaling: Scaling) -> str:
    if data is None:
        return "The file of the data it was measured on is not there any more."
    rows = [
        ["Data set", said(data.title)],
        ["Name", said(data.dataset)],
        [f"SHA-256 of the {data.of}", code(data.sha256)],
        *scaling_rows(scaling),
    ]
    return table(("", ""), rows)


def _origin(model: str, info: ModelInfo, versions: dict[str, str], registered: NetworkOrigin | None) -> str:
    numbers = ", ".join(f"{name} {number}" for name, number in versions.items())
    rows = [
        ["Name", said(model)],
        ["Versions of this export", said(numbers)],
        [TENSORS, code(info.sha256)],
        *network_rows(registered),
    ]
    return table(("", ""), rows)
