"""One row's own values beside what was read of them and which way they pushed.

Shapes: F raw features, P players (raw columns, or groups of them), K outputs.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd

from tabnet_engine.explain.attribution import Attribution
from tabnet_engine.explain.masks import MaskExplanation
from tabnet_engine.explain.players import Players
from tabnet_engine.texts.speaking import say

__all__ = ["cell_table"]


def cell_table(
    masks: MaskExplanation,
    attribution: Attribution | None,
    texts: Mapping[str, str],
    *,
    missing: Collection[str] = (),
    unseen: Collection[str] = (),
    output: int = 0,
) -> pd.DataFrame:
    """One line a column: its value, its state, how much it was read, which way it pushed; the largest push first.

    The columns ``state`` and ``group`` are there only where a cell is missing or unseen, and where columns move
    together; a group's push stands beside each of its columns. Without an attribution ``pushed`` is absent, and what
    was read most comes first.

    Args:
        masks: of the row alone.
        attribution: values of the row alone.
        texts: the row's cells by column.
        missing: columns whose cell is missing.
        unseen: columns that hold a category that training never saw.
        output: place of the output among the K.
    """
    names = masks.features
    states = {**dict.fromkeys(missing, say("missing")), **dict.fromkeys(unseen, say("not seen in training"))}
    table = pd.DataFrame({"column": names, "value": [texts[name] for name in names]})
    if states:
        table["state"] = [states.get(name, "") for name in names]
    table["read"] = masks.aggregate[0].astype(float)
    if attribution is None:
        return table.sort_values("read", ascending=False, kind="stable", ignore_index=True)
    players = Players.grouped(names, attribution.groups)
    if attribution.groups:
        table["group"] = ["" if players.names[at] == name else players.names[at]
                          for name, at in zip(names, players.of_feature, strict=True)]  # fmt: skip
    table["pushed"] = attribution.values[0, players.of_feature, output]
    return table.sort_values("pushed", key=np.abs, ascending=False, kind="stable", ignore_index=True)
