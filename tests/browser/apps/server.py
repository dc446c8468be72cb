"""Serves the demo app that is named in ``$DEMO``, with Plotly's script beside it as the app itself has it."""

import os
from pathlib import Path

import streamlit as st

from pages.shared.show.plotly_script import plotly_route

app = st.App(Path(__file__).parent / f"{os.environ['DEMO']}.py", routes=[plotly_route()])
