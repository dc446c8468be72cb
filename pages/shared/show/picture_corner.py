"""The corner of pictures that components of our own draw: what their scripts and styles begin with.

``CORNER_JS`` holds ``PictureCorner``, to be made for each picture by a component's own script.
"""

from pathlib import Path

from pages.shared.show.scripts import scripts

_HERE = Path(__file__).parent
CORNER_JS = scripts(_HERE, "save_file.js", "print_files.js", "svg_pen.js", "picture_corner.js")
CORNER_CSS = (_HERE / "picture_corner.css").read_text(encoding="utf-8")
