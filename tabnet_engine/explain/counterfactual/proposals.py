"""Several proposals side by side: what each changes, and how each was checked. No torch: pages import this."""

from __future__ import annotations

import pandas as pd

from tabnet_engine.explain.counterfactual.neighbour_result import Neighbours
from tabnet_engine.explain.counterfactual.result import Change, CounterfactualResult
from tabnet_engine.explain.wording import amount, percent
from tabnet_engine.texts.speaking import say

__all__ = ["check_table", "neighbour_cells", "neighbour_table", "proposal_table"]

_SAME = "–"
_DIFFERENT = "◆"


def proposal_table(result: CounterfactualResult) -> pd.DataFrame:
    """One line a column that some proposal changes: the cell now, and what each proposal makes of it."""
    changes = [{change.column: change for change in item.changes} for item in result.counterfactuals]
    return _side_by_side(changes, say("now"), [_proposal(place) for place in range(len(changes))], mark="")


def check_table(result: CounterfactualResult) -> pd.DataFrame:
    """How each proposal stands: what the model said of it when asked again, its distance, how usual it is."""
    lines = {
        say("the model, asked again"): [item.wanted.outcome_words(item.logits) for item in result.counterfactuals],
        say("columns changed"): [f"{len(item.changes)}" for item in result.counterfactuals],
        say("distance"): [amount(item.distance) for item in result.counterfactuals],
        say("as usual as, or more than"): [_usual(item.likeness.share.value) for item in result.counterfactuals],
    }
    table = pd.DataFrame.from_dict(lines, orient="index")
    table.columns = pd.Index([_proposal(place) for place in range(len(result.counterfactuals))])
    return table.reset_index(names=say("check"))


def neighbour_table(found: Neighbours) -> pd.DataFrame:
    """One line a neighbour: its number, distance and outcomes."""
    return pd.DataFrame(
        {
            say("row"): [f"{item.row:,}" for item in found.rows],
            say("predicted"): [found.wanted.outcome_words(item.logits) for item in found.rows],
            say("actual"): [say("missing") if item.actual is None else item.actual for item in found.rows],
            say("distance"): [amount(item.distance) for item in found.rows],
            say("columns that differ"): [f"{len(item.differences)}" for item in found.rows],
        }
    )


def neighbour_cells(found: Neighbours) -> pd.DataFrame:
    """One line a column in which some neighbour differs: the cell of this row, and the marked cells of the others."""
    differences = [{change.column: change for change in item.differences} for item in found.rows]
    names = [say("row {row:,}", row=item.row) for item in found.rows]
    return _side_by_side(differences, say("this row"), names, mark=f"{_DIFFERENT} ")


def _proposal(place: int) -> str:
    return say("proposal {number}", number=place + 1)


def _usual(share: float | None) -> str:
    if share is None:
        return say("not known")
    return say("{share} of the training rows", share=percent(share))


def _side_by_side(changes: list[dict[str, Change]], own: str, names: list[str], *, mark: str) -> pd.DataFrame:
    """Columns that anything changes, those first that are changed most and farthest; what stays is a dash."""
    sizes: dict[str, float] = {}
    before: dict[str, str] = {}
    for one in changes:
        for name, change in one.items():
            sizes[name] = sizes.get(name, 0.0) + change.distance
            before[name] = change.before_text
    order = sorted(sizes, key=lambda name: -sizes[name])
    cells = {
        title: [f"{mark}{one[name].after_text}" if name in one else _SAME for name in order]
        for title, one in zip(names, changes, strict=True)
    }
    return pd.DataFrame({say("column"): order, own: [before[name] for name in order], **cells})
