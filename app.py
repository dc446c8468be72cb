"""The app: one line a page. Start it with ``make run``, or ``python -m streamlit run app.py``."""

from pathlib import Path

import streamlit as st

from pages import merge, models
from pages.shared.services import warm_up
from pages.shared.theme import page_style

ICON = str(Path(__file__).parent / "pages" / "shared" / "icon.svg")
PAGES = [
    st.Page(merge.page, title="Merge", icon=":material/merge:", url_path="merge", default=True),
    st.Page(models.page, title="Models", icon=":material/deployed_code:", url_path="models"),
]


def main() -> None:
    """Start the workers in the background, then show the page that was asked for."""
    st.set_page_config(page_title="Soft Merge", page_icon=ICON, layout="wide")
    warm_up()
    page_style()
    st.navigation(PAGES, position="top").run()


if __name__ == "__main__":
    main()
