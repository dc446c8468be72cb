"""What is laid over a figure at once is what Plotly lays over it one by one."""

import plotly.graph_objects as go

from softmerge_core.figures.laying import band, lay, upright

LINE = {"color": "#123456", "width": 1, "dash": "dot"}
LOOK = {"fillcolor": "#123456", "opacity": 0.1, "line": {"width": 0}, "layer": "below"}
NOTE = {"text": "here", "x": 2, "yref": "paper", "y": 1, "showarrow": False}
IMAGE = {"source": "data:image/png;base64,", "xref": "x", "yref": "y", "x": 0, "y": 1, "sizex": 1, "sizey": 1}


def test_it_is_as_plotly_does_it_one_by_one() -> None:
    ours, plotlys = go.Figure(), go.Figure()
    lay(
        ours,
        shapes=[upright(3, LINE, name="end"), band(1, 2.5, **LOOK)],
        annotations=[NOTE, {**NOTE, "x": 4}],
        images=[IMAGE],
    )
    plotlys.add_vline(x=3, line=LINE, name="end")
    plotlys.add_vrect(x0=1, x1=2.5, **LOOK)
    plotlys.add_annotation(**NOTE)
    plotlys.add_annotation(**{**NOTE, "x": 4})
    plotlys.add_layout_image(**IMAGE)
    assert ours.to_plotly_json() == plotlys.to_plotly_json()


def test_what_was_there_stays_and_comes_first() -> None:
    figure = go.Figure(layout={"annotations": [NOTE]})
    lay(figure, annotations=[{**NOTE, "text": "there"}])
    lay(figure)
    assert [note.text for note in figure.layout.annotations] == ["here", "there"]
    assert figure.layout.shapes == figure.layout.images == ()
