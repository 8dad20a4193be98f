"""The changes that a visitor makes to one row: remembered for the visit, and kept in the address.

The visit's own memory leads, because an address that was just written reaches the browser a moment later than the
next click; an address that this visit did not write, such as a link's, wins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from pages._ui import state
from tabnet_engine.explain.what_if import changes_from_text, changes_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tabnet_engine.explain.counterfactual.space import PlainValue
    from tabnet_engine.explain.what_if import WhatIf

__all__ = ["ADDRESS", "Changes"]

ADDRESS = "set"
_MADE = "what_if_changes"
_WRITTEN = "what_if_addresses"


class Changes:
    """The changes of one row of one run; ``told`` are sentences on what the address asked for in vain."""

    def __init__(self, run_id: str, question: WhatIf) -> None:
        self._question = question
        self._slot = state.slot(_MADE).setdefault(f"{run_id}/{question.row}", {})
        self.told: tuple[str, ...] = ()
        self._take_address()

    @property
    def values(self) -> dict[str, PlainValue]:
        """The changed cells by column."""
        return dict(self._slot)

    def value(self, column: str) -> PlainValue:
        """The cell of a column, changed or not."""
        return self._slot[column] if column in self._slot else self._question.own[column]

    def own(self, column: str) -> PlainValue:
        """The row's own cell."""
        return self._question.own[column]

    def is_changed(self, column: str) -> bool:
        """Whether the column is changed."""
        return column in self._slot

    def put(self, column: str, value: PlainValue) -> None:
        """Change a cell; back to the row's own value is no change."""
        if value == self._question.own[column] and (value is None) == (self._question.own[column] is None):
            self._slot.pop(column, None)
        else:
            self._slot[column] = value

    def reset(self, column: str | None = None) -> None:
        """Take back the change of one column, or all of them."""
        if column is None:
            self._slot.clear()
        else:
            self._slot.pop(column, None)

    def replace(self, values: Mapping[str, PlainValue]) -> None:
        """Make these changes and no others."""
        self._slot.clear()
        for column, value in values.items():
            self.put(column, value)

    def keep(self) -> None:
        """Write the changes into the address."""
        text = changes_text(self._slot)
        state.slot(_WRITTEN)[text] = True
        state.keep_asked(ADDRESS, text, is_default=not text)

    def taker(self, column: str, key: str, read: Callable[[Any], PlainValue]) -> Callable[[], None]:
        """What a control calls when it was moved: the value of the widget ``key``, as ``read`` understands it."""

        def take() -> None:
            self.put(column, read(st.session_state[key]))

        return take

    def _take_address(self) -> None:
        text = state.asked(ADDRESS) or ""
        if not text or text in state.slot(_WRITTEN):
            return
        state.slot(_WRITTEN)[text] = True
        found, self.told = changes_from_text(text, self._question.encoder.schema.features)
        self.replace(found)
