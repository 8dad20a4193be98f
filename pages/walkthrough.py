"""Walkthrough: from a table to one decision, one step after the other, on the same functions as the pages."""

from pages._ui import guard, walk

with guard.page("Walkthrough", "From a table to one decision explained, in five short steps."):
    walk.show()
