"""A data set as a reader first meets it: its facts in a sentence, and a few samples of each class."""

import numpy as np
import streamlit as st

from pages.shared.choose.network import dataset_title
from pages.shared.show.drawn_figure import DrawnFigure
from pages.shared.show.picture import drawn, show_picture
from pages.shared.show.text import html_table, plain
from pages.shared.show.theme import current_theme
from softmerge_core.data import data_facts, data_preview, datasets
from softmerge_core.data.kept import Facts
from softmerge_core.data.preview import few_of_each
from softmerge_core.errors import SoftMergeError
from softmerge_core.experiments.words import listed, sentence
from softmerge_core.figures.samples import samples_figure, samples_height
from softmerge_core.figures.style import Theme
from softmerge_core.numbers import number_text

SAMPLES, TITLE = "samples", "A few samples of each class"
ROWS, COLUMNS = 12, 8  # of a table
KINDS = {"train": "training", "validation": "validation", "test": "test"}


@st.cache_resource(max_entries=32, show_spinner=False)
def _figure(
    about: str, theme: Theme, _inputs: np.ndarray, _labels: np.ndarray, _names: tuple[str, ...]
) -> DrawnFigure | None:
    return drawn(samples_figure(_inputs, _labels, _names, theme=theme), SAMPLES)


def show_samples(dataset: str) -> None:
    """Draw a few samples of a built-in data set or of a data file under its facts; what is wrong with it is told."""
    try:
        facts = known_of(dataset)
        preview = data_preview(dataset) if dataset.endswith(".npz") else _built_in(dataset)[1]
    except SoftMergeError as error:
        st.error(plain(sentence(str(error)), 500), icon=":material/error:")
        return
    inputs, labels = preview["inputs"], preview["labels"]
    text = f"{plain(dataset_title(dataset))}: {facts_sentence(facts)} {_shown(facts, labels)}"
    figure = _figure(facts.sha256, current_theme(), inputs, labels, facts.class_names)
    if figure is None:
        st.markdown(f"**{TITLE}.** {text}")
        st.html(_table(inputs, labels, facts.class_names))
        return
    show_picture(
        figure,
        key=SAMPLES,
        title=TITLE,
        sentence=text,
        alt=TITLE,
        height=samples_height(labels),
        waiting="Drawing",
    )


@st.cache_resource(max_entries=32, show_spinner=False)
def _built_in(name: str) -> tuple[Facts, dict[str, np.ndarray]]:
    """(facts, preview) of a data set that ships; its name stands for its hash."""
    known = datasets()[name]
    arrays = known.load()
    facts = Facts(
        input_shape=known.input_shape,
        classes=known.classes,
        samples={split: len(arrays[f"{split}_labels"]) for split in KINDS},
        sha256=name,
        size=0,
        changed=0,
        class_names=known.class_names,
    )
    return facts, few_of_each(arrays["train_inputs"], arrays["train_labels"].astype(np.int64))


def known_of(dataset: str) -> Facts:
    """The facts of a built-in data set or of a data file; raises DataError."""
    return data_facts(dataset) if dataset.endswith(".npz") else _built_in(dataset)[0]


def facts_sentence(facts: Facts) -> str:
    """The facts in plain words, as Markdown."""
    counts = listed([f"{facts.samples[split]:,} {word}" for split, word in KINDS.items() if split in facts.samples])
    classes = f"{facts.classes:,} {'class' if facts.classes == 1 else 'classes'}"
    origin = f" {plain(sentence(facts.origin), 400)}" if facts.origin else ""
    return f"{counts} samples of {classes}; each is {_kind(facts.input_shape)}.{origin}"


def _kind(shape: tuple[int, ...]) -> str:
    match shape:
        case (1, height, width):
            return f"a grey image of {height}\u00a0×\u00a0{width} pixels"
        case (3, height, width):
            return f"a colour image of {height}\u00a0×\u00a0{width} pixels"
        case (channels, length):
            return f"a sequence of {length:,} points" + (f" with {channels} values each" if channels > 1 else "")
        case (count,):
            return f"a row of {count:,} {'number' if count == 1 else 'numbers'}"
    return "an array of " + "\u00a0×\u00a0".join(map(str, shape))


def _shown(facts: Facts, labels: np.ndarray) -> str:
    few = len(np.unique(labels))
    return f"Shown are samples of the first {few} classes." if few < facts.classes else ""


def _table(inputs: np.ndarray, labels: np.ndarray, names: tuple[str, ...]) -> str:
    """The first samples of each class in turn, as a table."""
    rank = np.concatenate([np.arange(count) for count in np.unique(labels, return_counts=True)[1]])
    order = np.argsort(rank, kind="stable")[:ROWS]
    rows = inputs.reshape(len(inputs), -1)
    head = ["Class", *(f"{number}" for number in range(1, min(COLUMNS, rows.shape[1]) + 1))]
    cells = [
        [names[labels[index]] if names else str(labels[index]), *(number_text(float(v)) for v in rows[index, :COLUMNS])]
        for index in order.tolist()
    ]
    if rows.shape[1] > COLUMNS:
        head, cells = [*head, "…"], [[*line, "…"] for line in cells]
    return html_table(head, cells)
