"""What a decision report says about one row, section by section; which ones is the choice of a regulation profile."""
