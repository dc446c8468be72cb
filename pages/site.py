"""What each session of the app runs: one line a page."""

from pathlib import Path

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from pages import compare, connectivity, federated, merge, models, robustness, scope
from pages.shared.services import warm_up
from pages.shared.theme import page_style

ICON = str(Path(__file__).parent / "shared" / "icon.svg")


def site_pages() -> list[StreamlitPage]:
    """The pages in the order of the navigation; only a session can make them."""
    return [
        st.Page(merge.page, title="Merge", icon=":material/merge:", url_path="merge", default=True),
        st.Page(compare.page, title="Compare", icon=":material/table_chart:", url_path="compare"),
        st.Page(robustness.page, title="Robustness", icon=":material/shield:", url_path="robustness"),
        st.Page(connectivity.page, title="Connectivity", icon=":material/timeline:", url_path="connectivity"),
        st.Page(scope.page, title="Scope", icon=":material/align_horizontal_center:", url_path="scope"),
        st.Page(federated.page, title="Federated", icon=":material/hub:", url_path="federated"),
        st.Page(models.page, title="Models", icon=":material/deployed_code:", url_path="models"),
    ]


def main() -> None:
    """Show the page that was asked for; the workers are there already unless the server was started without them."""
    st.set_page_config(page_title="Soft Merge", page_icon=ICON, layout="wide")
    warm_up()
    page_style()
    st.navigation(site_pages(), position="top").run()


if __name__ == "__main__":
    main()
