"""The one registry: finds what a package defines, and names what it knows."""

import pytest

from softmerge_core.errors import NotFoundError
from softmerge_core.experiments import experiment, experiments, parse_spec
from softmerge_core.registry import lookup


def test_every_module_with_the_constant_is_found() -> None:
    assert {"merge", "train"} <= set(experiments())
    assert all(name == member.name for name, member in experiments().items())


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(NotFoundError, match=r"unknown experiment 'sing'.*merge.*train"):
        experiment("sing")
    with pytest.raises(NotFoundError, match="unknown fruit 'x'; expected one of: none"):
        lookup({}, "x", "fruit")


def test_a_spec_without_a_kind_is_refused() -> None:
    with pytest.raises(NotFoundError):
        parse_spec({})
