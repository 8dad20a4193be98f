"""Why one row was not approved: principal reasons against approved cases at or just above the cutoff."""
