"""Every figure once, from made-up events of a merge in three stages, to be looked at."""

import math
import random

import streamlit as st

from pages.shared.show.live_plot import live_plot
from pages.shared.show.theme import current_theme
from softmerge_core.events import Boundary, Evaluation, Event, Gates, Loss, Points, Progress, Stage
from softmerge_core.experiments.merge import words
from softmerge_core.figures.accuracy import accuracy_figure
from softmerge_core.figures.bars import accuracy_dots, accuracy_height
from softmerge_core.figures.boundary import boundary_figure
from softmerge_core.figures.gates import gates_figure
from softmerge_core.figures.losses import losses_figure
from softmerge_core.figures.training import training_figure

SOURCES = ("shard 1", "shard 2", "<b>bold</b>", "%{x} $\\alpha$ a rather long name indeed")
LAYERS = ("conv1", "norm1", "conv2", "norm2", "conv3", "norm3", "head")
STAGES = (
    ("model", "Model gates", ("whole model",), ()),
    ("layer", "Layer gates", LAYERS, LAYERS),
    ("channel", "Channel gates", tuple(f"{n}[{c}]" for n in LAYERS for c in range(24)),
     tuple(n for n in LAYERS for _ in range(24))),
)  # fmt: skip
RESULT = {
    "accuracy": {"soft": 0.846, "average": 0.806, "best_source": 0.789, "ensemble": 0.84,
                 "sources": [0.789, 0.75, 0.77, 0.731]},
    "source_names": SOURCES,
}  # fmt: skip


def made_up(draw: random.Random, upto: int = 3) -> list[Event]:
    events: list[Event] = []
    for place, (name, title, parts, groups) in enumerate(STAGES[:upto]):
        first = 400 * place
        events.append(Stage(step=first, stage=name, title=title, parts=parts, sources=SOURCES, groups=groups))
        for step in range(first, first + 400, 4):
            task, penalty = (
                0.6 + 1.2 * math.exp(-step / 200) + draw.gauss(0, 0.08),
                0.15 * math.exp(-step / 900),
            )
            events.append(Loss(step=step, series="soft", task=task, penalty=penalty, total=task + penalty))
            if step % 40 == 0:
                for series, share in (("soft", 0.84 - 0.12 * math.exp(-step / 300)), ("average", 0.806),
                                      ("best_source", 0.789), ("ensemble", 0.84)):  # fmt: skip
                    events.append(Evaluation(step=step, series=series, split="validation", accuracy=share, loss=1))
        logits = [[draw.gauss(0.5, 2.2) for _ in SOURCES] for _ in parts]
        value = tuple(tuple(min(max(1.2 / (1 + math.exp(-x)) - 0.1, 0), 1) for x in row) for row in logits)
        chance = tuple(tuple(1 / (1 + math.exp(-x - 1.6)) for x in row) for row in logits)
        events.append(Gates(step=first + 400, stage=name, probability=chance, value=value))
    events.append(Progress(step=400 * upto, total=1200, seconds=4))
    return events


def moons(draw: random.Random) -> list[Event]:
    size, extent = 60, (-1.6, 2.6, -1.2, 1.7)
    angles = [draw.uniform(0, math.pi) for _ in range(160)]
    upper = [(math.cos(a) + draw.gauss(0, 0.1), math.sin(a) + draw.gauss(0, 0.1), 0) for a in angles[:80]]
    lower = [(1 - math.cos(a) + draw.gauss(0, 0.1), 0.5 - math.sin(a) + draw.gauss(0, 0.1), 1) for a in angles[80:]]
    x, y, labels = zip(*upper, *lower, strict=True)
    grid = tuple(
        int(extent[2] + 2.9 * row / size < 0.25 + 0.6 * math.sin(2 * (extent[0] + 4.2 * col / size) + 1.6))
        for row in range(size) for col in range(size)
    )  # fmt: skip
    return [
        Points(step=0, x=x, y=y, labels=labels),
        Boundary(step=400, series="soft", extent=extent, size=size, classes=grid),
    ]


def show(name: str, figure: object, height: int, sentence: str = "") -> None:
    st.markdown(f"**{name}** {sentence}")
    live_plot(figure, key=name, height=height, alt=name)  # type: ignore[arg-type]


theme = current_theme()
everything = made_up(random.Random(3))
left, right = st.columns(2)
with left:
    show("Channel gates", gates_figure(everything, theme=theme), 460, words.gates_sentence(everything))
    layers = made_up(random.Random(3), 2)
    show("Layer gates", gates_figure(layers, theme=theme), 460, words.gates_sentence(layers))
    model = made_up(random.Random(5), 1)
    show("Model gates", gates_figure(model, theme=theme, show="value"), 300, words.gates_sentence(model))
    show("Boundary", boundary_figure(moons(random.Random(1)), theme=theme), 360)
with right:
    show("Losses", losses_figure(everything, theme=theme), 320, words.losses_sentence(everything))
    show("Accuracy", accuracy_figure(everything, theme=theme), 320, words.accuracy_sentence(everything))
    dots = accuracy_dots(RESULT, theme=theme, n=1000)
    show("Test accuracy", dots, accuracy_height(RESULT), words.gain_sentence(RESULT, 1000))
    show("Training", training_figure(everything, theme=theme), 360)
    show("Nothing yet", None, 120)
