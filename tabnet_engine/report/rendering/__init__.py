"""A document as HTML and as PDF."""
