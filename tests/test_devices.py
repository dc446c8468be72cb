"""Devices go by torch's names, and one that is not there is refused without loading torch."""

import pytest

from softmerge_core.devices import check_device, device_name
from softmerge_core.errors import SettingsError
from tests.contracts.helpers import loaded_after


@pytest.mark.parametrize("name", ["auto", "cpu", "cuda", "cuda:0", "mps:0", "xpu:12"])
def test_names_of_torch_are_taken(name: str) -> None:
    assert device_name(name) == name


@pytest.mark.parametrize("name", ["", "CPU", "gpu", "cuda:", "cuda:1000", "cuda:\u0661", "auto:0", "cpu\n"])
def test_no_other_name_is(name: str) -> None:
    with pytest.raises(ValueError, match="expected auto or one of cpu, cuda"):
        device_name(name)


@pytest.mark.parametrize("device", ["auto", "cpu", "cpu:0", "cuda", "cuda:0"])
def test_a_device_that_is_there_may_leave_out_its_number(device: str) -> None:
    check_device(device, ("cpu", "cuda:0"))


@pytest.mark.parametrize("device", ["cuda:1", "mps", "xpu:0"])
def test_a_device_that_is_not_there_is_told_with_those_that_are(device: str) -> None:
    with pytest.raises(SettingsError, match=rf"\(auto, cpu, cuda:0\), got '{device}'"):
        check_device(device, ("cpu", "cuda:0"))


def test_it_loads_no_torch() -> None:
    assert "torch" not in loaded_after("import softmerge_core.devices")
