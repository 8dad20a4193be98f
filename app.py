"""Entry of the application: page settings and navigation, nothing else."""

import streamlit as st

from pages._ui import shell

st.set_page_config(page_title=shell.NAME, page_icon=shell.ICON, layout="wide")
shell.start()
