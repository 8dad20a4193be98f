"""What the pages share: guard, session state, cached access, widgets."""
