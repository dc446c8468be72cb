"""The picture of one gate's history shows its own numbers, and where it closed."""

from softmerge_core.figures.gate_history import gate_history_figure
from tests.experiments.merge.test_gate_why import history


def test_the_lines_are_the_gates_own_and_the_closing_is_marked() -> None:
    found = history()
    for theme in ("light", "dark"):
        figure = gate_history_figure(found, "conv1", 1, theme=theme)
        assert {line.name: list(line.y) for line in figure.data} == {
            "P(open)": [0.9, 0.2],
            "moved by the loss": [0, -4.5],
            "moved by the penalty": [0, -0.4],
        }
        assert [shape.x0 for shape in figure.layout.shapes] == [150]
        assert figure.layout.yaxis.range == (0, 1.02)
    found["parts"]["conv1"]["close"]["step"] = [0.0, -1.0]
    assert not gate_history_figure(found, "conv1", 1, theme="light").layout.shapes
