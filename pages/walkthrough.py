"""Walkthrough: from a table to one decision, one step after the other, on the same functions as the pages."""

from pages._ui import guard
from tabnet_engine.texts.speaking import msg

with guard.page(msg("Walkthrough"), msg("From a table to one decision explained, in six short steps.")):
    # This is the first page of a fresh server: its frame appears before pandas and the engine are loaded.
    from pages._ui import walk

    walk.show()
