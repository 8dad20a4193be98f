"""Reading tables: the only door through which a user's file comes in.

Everything that is detected can be set by hand in :class:`ReadOptions`; everything that was detected, changed or
left out is a sentence in :attr:`Table.notes`.
"""

from __future__ import annotations

from tabnet_engine.data.isolation import read_table_isolated, sheet_names
from tabnet_engine.data.options import DEFAULT_MISSING_TOKENS, ReadOptions
from tabnet_engine.data.reading import Table, read_table

__all__ = [
    "DEFAULT_MISSING_TOKENS",
    "ReadOptions",
    "Table",
    "read_table",
    "read_table_isolated",
    "sheet_names",
]
