"""Figures as SVG and PNG without a page: by Plotly's own exporter, where that and a Chrome or Chromium are there."""

import tempfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import plotly.graph_objects as go
import plotly.io as pio

PACKAGE = "kaleido"
WIDTH = 800  # px; PNGs have twice as many
FORMATS = {"svg": 1, "png": 2}
PLAIN = "Arial, Helvetica, sans-serif"


def stills(figures: Mapping[str, tuple[go.Figure, int]]) -> dict[str, bytes]:
    """NAME.svg and NAME.png of each figure, which is given with its height in px; none where there is no exporter."""
    if not figures or find_spec(PACKAGE) is None:
        return {}
    with tempfile.TemporaryDirectory(prefix="softmerge-") as folder:
        wanted = [(Path(folder) / f"{name}.{form}", form, *figures[name]) for name in figures for form in FORMATS]
        for figure, _ in figures.values():
            figure.update_layout(font_family=PLAIN)
        try:
            pio.write_images(  # all of them by one browser
                fig=[figure for *_, figure, _ in wanted],
                file=[str(path) for path, *_ in wanted],
                format=[form for _, form, *_ in wanted],
                scale=[FORMATS[form] for _, form, *_ in wanted],
                width=WIDTH,
                height=[height for *_, height in wanted],
            )
            return {path.name: path.read_bytes() for path, *_ in wanted}
        except Exception:  # no browser, or one that does not start: it raises errors of several libraries
            return {}
