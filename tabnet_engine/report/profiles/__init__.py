"""Regulation profiles: versioned data files, beside the code that reads them. No citation lives in code."""
