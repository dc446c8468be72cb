"""Hundreds of damaged data files, in `make fuzz` more: each loads or gives one typed error; nothing is run."""

import pytest

from tests.mutations import COUNT, outcome


@pytest.mark.mutations
@pytest.mark.timeout(1800)
def test_damaged_data_files_load_or_are_refused() -> None:
    told = outcome("tests.data.damaged")
    assert told["failures"] == []
    assert told["read"] + told["refused"] == COUNT
    assert min(told["read"], told["refused"]) > COUNT / 20, "the damage is all or nothing"
    assert told["peak"] < 1 << 30
