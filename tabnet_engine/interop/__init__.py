"""Models that other libraries saved."""
