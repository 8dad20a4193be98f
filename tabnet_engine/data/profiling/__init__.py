"""What a profile is made of: columns, associations, leakage, duplicates, warnings."""
