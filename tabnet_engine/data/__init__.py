"""User tables: reading, schema, profile, encoding, splits, samples."""
