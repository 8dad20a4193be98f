"""Charts of a training side by side, each with its numbers to take away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from pages._ui import widgets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tabnet_engine.training.history import EpochRecord

__all__ = ["charts_row", "epoch_table"]


def charts_row(charts: Sequence[tuple[Any, str]], records: Sequence[EpochRecord], *, key: str) -> None:
    """Figures with their texts for screen readers, side by side where there is room; the epochs are their numbers."""
    for position, (place, (figure, alt)) in enumerate(zip(st.columns(len(charts)), charts, strict=True)):
        with place:
            widgets.chart(figure, key=f"{key}_{position}", alt=alt, data=lambda: epoch_table(records))


def epoch_table(records: Sequence[EpochRecord]) -> pd.DataFrame:
    """One line an epoch with everything that is known of it."""
    return pd.DataFrame(
        [
            {
                "epoch": record.epoch,
                "seconds": record.seconds,
                "training loss": record.train_loss,
                "validation loss": record.validation_loss,
                "learning rate": record.learning_rate,
                "mask entropy": record.sparsity,
            }
            | {f"validation {name}": value for name, value in record.validation.items()}
            for record in records
        ]
    )
