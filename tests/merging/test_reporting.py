"""Reported numbers are short, and honest about exact 0 and 1."""

import torch

from softmerge_core.merging.reporting import matrix


def test_rounding_never_makes_a_gate_look_closed_or_fully_open() -> None:
    told = matrix(torch.tensor([[0.0, 1e-9, 0.5, 1 - 1e-7, 1.0]], dtype=torch.float64))
    assert told == ((0.0, 0.0001, 0.5, 0.9999, 1.0),)


def test_numbers_are_short() -> None:
    assert matrix(torch.tensor([[1 / 3]])) == ((0.3333,),)
