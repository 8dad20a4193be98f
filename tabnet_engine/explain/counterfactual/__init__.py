"""What would have to change for another outcome, under the user's constraints."""
