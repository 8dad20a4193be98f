"""The report about a whole model: model card, documentation, and what was measured of it."""
