"""Classes: a teacher asks, students predict, and all see what they thought before and after. Nobody is named."""

from softmerge_core.classroom.record import CODE, Asked, Record
from softmerge_core.classroom.store import Classes
from softmerge_core.classroom.votes import Moves, Nearer, counts, moves, nearer

__all__ = ["CODE", "Asked", "Classes", "Moves", "Nearer", "Record", "counts", "moves", "nearer"]
