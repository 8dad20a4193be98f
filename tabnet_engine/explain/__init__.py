"""What the model looked at and which way it pushed: masks, step contributions, Shapley values."""
