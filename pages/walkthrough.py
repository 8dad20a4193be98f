"""Walkthrough: from a table to one decision, one step after the other, on the same functions as the pages."""

from pages._ui import guard

with guard.page("Walkthrough", "From a table to one decision explained, in five short steps."):
    # This is the first page of a fresh server: its frame appears before pandas and the engine are loaded.
    from pages._ui import walk

    walk.show()
