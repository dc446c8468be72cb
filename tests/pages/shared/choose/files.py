"""Files as Streamlit hands them over when they are uploaded."""

import io
from typing import Any

import numpy as np


class File:
    """An uploaded file."""

    name, file_id = "My data.npz", "1"

    def __init__(self, **arrays: Any) -> None:
        kept = io.BytesIO()
        np.savez(kept, **arrays)
        self.content = kept.getvalue()

    def getvalue(self) -> bytes:
        return self.content
