"""Figures as the little JSON that a browser needs, and the script that draws them there."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import plotly
import plotly.graph_objects as go


def compact(figure: go.Figure, key: str) -> dict[str, Any]:
    """The figure as plain JSON: five significant digits, NaN and infinity as gaps, a stable id per trace."""
    plain: dict[str, Any] = _plain(figure.to_plotly_json())
    layout = plain["layout"]
    layout.setdefault("uirevision", key)
    seen: dict[str, int] = {}
    for trace in plain["data"]:
        name = str(trace.get("name", trace.get("type", "")))
        seen[name] = seen.get(name, 0) + 1
        # Plotly makes CSS selectors of it, which no name may break.
        trace["uid"] = "t" + hashlib.sha256(f"{name}#{seen[name]}".encode()).hexdigest()[:12]
    return plain


def _plain(value: Any) -> Any:
    if isinstance(value, (float, np.floating)):
        return float(f"{value:.5g}") if np.isfinite(value) else None
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value.item() if isinstance(value, np.generic) else value


def plotly_script() -> bytes:
    """Plotly's own script, as it is installed with it."""
    return (Path(plotly.__file__).parent / "package_data" / "plotly.min.js").read_bytes()
