"""Where runs and the reader's own models are kept."""

import os
from pathlib import Path

import platformdirs


def home() -> Path:
    """``$SOFTMERGE_HOME``, or the user's data folder for "softmerge". The folder may not exist yet."""
    chosen = os.environ.get("SOFTMERGE_HOME")
    return Path(chosen).expanduser() if chosen else Path(platformdirs.user_data_dir("softmerge", appauthor=False))
