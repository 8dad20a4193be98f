"""Signed attributions: which way each column pushed each logit, by every method, as one result type."""
