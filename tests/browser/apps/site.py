"""The demo pages of the browser tests."""

import streamlit as st

NAMES = ("other", "live", "gallery", "strip", "deep")  # the first is the one at the bare address, and there alone

st.set_page_config(layout="wide")
pages = [st.Page(f"{name}.py", title=name.capitalize(), url_path=name) for name in NAMES]
st.navigation(pages, position="top").run()
