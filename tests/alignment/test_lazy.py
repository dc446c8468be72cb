"""A server reads the settings without waiting for torch."""

import subprocess
import sys


def test_settings_load_no_torch() -> None:
    code = (
        "import sys; from softmerge_core.alignment import AlignSettings; AlignSettings(how='weights');"
        "assert 'torch' not in sys.modules and 'ot' not in sys.modules;"
        "import softmerge_core.alignment as a; from softmerge_core.alignment import *;"
        "assert all(callable(getattr(a, name)) for name in a.__all__)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
