"""What each session of the app runs: one line a page."""

from pathlib import Path

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from pages.compare.page import page as compare_page
from pages.connectivity.page import page as connectivity_page
from pages.federated.page import page as federated_page
from pages.merge.page import page as merge_page
from pages.models.page import page as models_page
from pages.robustness.page import page as robustness_page
from pages.scope.page import page as scope_page
from pages.shared.runs.services import warm_up
from pages.shared.show.theme import page_style

ICON = str(Path(__file__).parent / "shared" / "show" / "icon.svg")


def site_pages() -> list[StreamlitPage]:
    """The pages in the order of the navigation; only a session can make them."""
    return [
        st.Page(merge_page, title="Merge", icon=":material/merge:", url_path="merge", default=True),
        st.Page(compare_page, title="Compare", icon=":material/table_chart:", url_path="compare"),
        st.Page(robustness_page, title="Robustness", icon=":material/shield:", url_path="robustness"),
        st.Page(connectivity_page, title="Connectivity", icon=":material/timeline:", url_path="connectivity"),
        st.Page(scope_page, title="Scope", icon=":material/align_horizontal_center:", url_path="scope"),
        st.Page(federated_page, title="Federated", icon=":material/hub:", url_path="federated"),
        st.Page(models_page, title="Models", icon=":material/deployed_code:", url_path="models"),
    ]


def main() -> None:
    """Show the page that was asked for; the workers are there already unless the server was started without them."""
    st.set_page_config(page_title="Soft Merge", page_icon=ICON, layout="wide")
    warm_up()
    page_style()
    st.navigation(site_pages(), position="top").run()


if __name__ == "__main__":
    main()
