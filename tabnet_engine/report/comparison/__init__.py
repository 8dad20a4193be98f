"""The report about two runs on the same rows: the champion and its challenger."""
