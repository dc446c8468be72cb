"""What lies between networks: paths and their barriers, planes of weights, Bezier curves. Loads torch."""

from softmerge_core.landscape.curves import CurveTraining, bezier_points
from softmerge_core.landscape.paths import barrier, largest_rise, line_points
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
