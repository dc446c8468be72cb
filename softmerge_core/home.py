"""Where this machine keeps runs and models of its user."""

import os
from pathlib import Path

from platformdirs import user_data_dir


def home() -> Path:
    """``$SOFTMERGE_HOME``, or the platform's folder for user data; it may not exist yet."""
    return Path(os.environ.get("SOFTMERGE_HOME") or user_data_dir("softmerge", appauthor=False))
