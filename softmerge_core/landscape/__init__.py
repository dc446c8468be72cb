"""What lies between networks: paths and their barriers, planes of weights, Bezier curves.

The names below are loaded on first use; ``barriers`` alone loads no torch.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from softmerge_core.landscape.barriers import barrier, largest_rise
    from softmerge_core.landscape.curves import CurveTraining, bezier_points
    from softmerge_core.landscape.lines import line_points
    from softmerge_core.landscape.planes import Plane, filter_direction, plane_through, random_plane
    from softmerge_core.landscape.surface import Surface, batchable, network_at, weights_of

__all__ = [
    "CurveTraining",
    "Plane",
    "Surface",
    "barrier",
    "batchable",
    "bezier_points",
    "filter_direction",
    "largest_rise",
    "line_points",
    "network_at",
    "plane_through",
    "random_plane",
    "weights_of",
]

HOMES = {
    **dict.fromkeys(("barrier", "largest_rise"), "barriers"),
    **dict.fromkeys(("CurveTraining", "bezier_points"), "curves"),
    "line_points": "lines",
    **dict.fromkeys(("Plane", "filter_direction", "plane_through", "random_plane"), "planes"),
    **dict.fromkeys(("Surface", "batchable", "network_at", "weights_of"), "surface"),
}


def __getattr__(name: str) -> Any:
    if name not in HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"{__name__}.{HOMES[name]}"), name)
