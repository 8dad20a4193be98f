"""Two runs side by side: settings, scores, decisions and reasons on the same rows."""
