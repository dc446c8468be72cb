"""Serves the demo pages, with Plotly's script beside them as the app itself has it."""

from pathlib import Path

import streamlit as st

from pages.shared.show.figure_csv import values_route
from pages.shared.show.plotly_script import plotly_preload, plotly_route

app = st.App(
    Path(__file__).with_name("site.py"), routes=[plotly_route(), values_route()], middleware=[plotly_preload()]
)
