"""The pictures of several trained models: their accuracies, and how each of them was trained."""

from collections.abc import Sequence

import streamlit as st

from pages.models.figures import dots_figure, histories_figure, pictures_height
from pages.shared.show.drawn_figure import DrawnFigure
from pages.shared.show.picture import drawn, show_picture
from pages.shared.show.text import plain
from pages.shared.show.theme import current_theme
from softmerge_core.experiments.train.words import history_sentence, spread_sentence
from softmerge_core.figures.style import Theme
from softmerge_core.zoo import ModelInfo

DOTS, HISTORIES = "dots", "histories"  # the pictures


@st.cache_resource(max_entries=64, show_spinner=False)
def _figures(
    about: Sequence[str], theme: Theme, height: int, _models: Sequence[ModelInfo]
) -> tuple[DrawnFigure | None, DrawnFigure | None]:
    """(accuracies, training curves) of the models that ``about`` tells all of; drawn once for all sessions."""
    dots, histories = dots_figure(_models, theme=theme), histories_figure(_models, theme=theme, height=height)
    return drawn(dots, DOTS), drawn(histories, HISTORIES)


def model_pictures(models: Sequence[ModelInfo], samples: int = 0) -> None:
    """Draw the models' accuracies beside their training curves, each under a sentence; ``samples``: of the test set."""
    theme, height = current_theme(), pictures_height(models)
    dots, histories = _figures([model.model_dump_json() for model in models], theme, height, models)
    first, second = st.columns(2, gap="medium")
    with first:
        show_picture(
            dots,
            key=DOTS,
            title="Accuracy",
            sentence=plain(spread_sentence(models, samples), 300),
            alt="Accuracy of each model",
            height=height,
            waiting="Drawing",
        )
    with second:
        show_picture(
            histories,
            key=HISTORIES,
            terms=("nats",),
            title="Training",
            sentence=history_sentence(models),
            alt="Validation accuracy and training loss of each model over the steps of its training",
            height=height,
            waiting="Drawing" if histories else "No training was recorded",
        )
