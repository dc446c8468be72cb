"""A server can read the choices without waiting for torch."""

import subprocess
import sys

import pytest

from softmerge_core import alignment


def test_settings_load_no_torch() -> None:
    code = (
        "import sys; import softmerge_core.alignment.settings;"
        "assert 'torch' not in sys.modules and 'ot' not in sys.modules;"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_public_name_is_there() -> None:
    assert all(callable(getattr(alignment, name)) for name in alignment.__all__)
    with pytest.raises(AttributeError, match="nothing"):
        alignment.nothing  # noqa: B018
