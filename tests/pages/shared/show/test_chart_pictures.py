"""What a browser sends as pictures may be anything: only pictures are taken, under names that are no paths."""

import base64
from typing import Any

import pytest

from pages.shared.show.chart_pictures import read_pictures

SVG = '<svg xmlns="http://www.w3.org/2000/svg"><text>ü 50 %</text></svg>'
EMPTY = "data:image/svg+xml;base64," + base64.b64encode(b"<svg></svg>").decode()
PNG = b"\x89PNG\r\n\x1a\nrest"


def test_pictures_come_as_their_files_are() -> None:
    sent = {
        "gates.svg": "data:image/svg+xml;base64," + base64.b64encode(SVG.encode()).decode(),
        "gates.png": "data:image/png;base64," + base64.b64encode(PNG).decode(),
    }
    assert read_pictures(sent) == {"gates.svg": SVG.encode(), "gates.png": PNG}


@pytest.mark.parametrize(
    "sent",
    [
        None, "x", 3, [], {"gates.svg": 3}, {"gates.svg": "<svg>"}, {"gates.png": "data:image/png;base64,%%%"},
        {"../x.svg": EMPTY}, {"a.html": EMPTY}, {"a.png": EMPTY}, {3: EMPTY},
        {"a.svg": "data:image/svg+xml,<svg></svg>"},
        {"a.svg": "data:image/svg+xml;base64," + base64.b64encode(b"<script></script>").decode()},
    ],
)  # fmt: skip
def test_what_is_no_picture_is_left_out(sent: Any) -> None:
    assert read_pictures(sent) == {}
