"""A page to go to and come back from."""

import streamlit as st

st.text("another page")
