"""Reports that stand up to review: what they say, how they are drawn, and how they are kept."""
