"""The loss landscape between networks: paths and their barriers, planes of weights, Bezier curves.

The names below are loaded on first use; ``barriers`` alone loads no torch.
"""

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from softmerge_core.landscape.barriers import barrier as barrier
    from softmerge_core.landscape.barriers import largest_rise as largest_rise
    from softmerge_core.landscape.curves import CurveTraining as CurveTraining
    from softmerge_core.landscape.curves import bezier_points as bezier_points
    from softmerge_core.landscape.lines import line_points as line_points
    from softmerge_core.landscape.lines import network_between as network_between
    from softmerge_core.landscape.planes import Plane as Plane
    from softmerge_core.landscape.planes import filter_direction as filter_direction
    from softmerge_core.landscape.planes import plane_through as plane_through
    from softmerge_core.landscape.planes import random_plane as random_plane
    from softmerge_core.landscape.surface import Surface as Surface
    from softmerge_core.landscape.surface import batchable as batchable
    from softmerge_core.landscape.surface import network_at as network_at
    from softmerge_core.landscape.surface import weights_of as weights_of

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "barriers": ["barrier", "largest_rise"],
        "curves": ["CurveTraining", "bezier_points"],
        "lines": ["line_points", "network_between"],
        "planes": ["Plane", "filter_direction", "plane_through", "random_plane"],
        "surface": ["Surface", "batchable", "network_at", "weights_of"],
    },
)
