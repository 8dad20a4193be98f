"""Plotly figures: plain records in, figures out; nothing is computed here."""
