"""What a model does to the groups of a protected column, with intervals and sizes."""
