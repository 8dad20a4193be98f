"""Which row the walkthrough asks about: one chosen for a newcomer, or another of the same outcome."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from pages._ui import asked, data_access, explain_access, explain_widgets, state, widgets
from tabnet_engine.data.samples import SAMPLES
from tabnet_engine.data.schema import Task
from tabnet_engine.explain.example_row import code_asked, example_row
from tabnet_engine.explain.store import MASKS, has_explanations
from tabnet_engine.explain.stored_outcomes import outcomes_in_order
from tabnet_engine.explain.wording import probability
from tabnet_engine.texts.speaking import msg, say

if TYPE_CHECKING:
    from tabnet_engine.data.targets import TargetCodec
    from tabnet_engine.explain.example_row import ExampleRow
    from tabnet_engine.explain.row_outcomes import RowOutcomes
    from tabnet_engine.runs.run import Run

__all__ = ["Case", "case", "controls", "is_credit", "link_ids", "question"]

_MOST_OFFERED = 200
_CREDIT = next(sample.title for sample in SAMPLES if sample.name == "credit")
_OF_APPLICANTS = {
    "declined": msg("Why was this applicant declined?"),
    "approved": msg("Why was this applicant approved?"),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Case:
    """The row that is asked about, with the row that was suggested and what is known of the outcomes.

    ``output`` is the place of the score that is explained among all outputs.
    """

    run: Run
    output: int
    row: int
    example: ExampleRow
    outcomes: RowOutcomes

    @property
    def codec(self) -> TargetCodec:
        """The target that is asked about."""
        return explain_widgets.target_of(self.run, self.output)[0]


def case() -> Case | None:
    """What the address asks about, else what is suggested; None where there is no run, no table or no row."""
    run_id = state.current("run")
    if run_id not in data_access.run_names():
        return None
    run = data_access.run(run_id)
    if not has_explanations(run, MASKS):
        return None
    output = asked.whole_number("class") or 0
    output = output if output < len(run.targets.outputs) else 0
    codec, place = explain_widgets.target_of(run, output)
    outcomes, values = explain_access.outcomes(run, codec.name), explain_access.attribution(run)
    if outcomes is None:
        return None
    ready = () if values is None else values.rows
    example = example_row(outcomes, code=code_asked(codec.task, place, output), ready=ready)
    if example is None:
        return None
    row = asked.whole_number("row")
    known = row is not None and bool(np.isin(row, outcomes.rows))
    chosen = row if row is not None and known else example.row
    return Case(run=run, output=output, row=chosen, example=example, outcomes=outcomes)


def question(found: Case) -> str:
    """The question about the row, in the user's words."""
    given = _given(found, found.row)
    if found.codec.task is Task.REGRESSION:
        return say("Why is {target} of row {row:,} predicted at {value}?", target=found.codec.name, row=found.row,
                   value=given)  # fmt: skip
    if is_credit(found.run) and given in _OF_APPLICANTS:
        return say(_OF_APPLICANTS[given])
    return say("Why was row {row:,} given “{outcome}”?", row=found.row, outcome=given)


def is_credit(run: Run) -> bool:
    """Whether the run learned the sample whose rule is known."""
    return run.manifest.dataset.name == _CREDIT


def controls(found: Case) -> None:
    """Choose another output or row, and say why the suggested row was; a new choice draws the page again."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        help_text = say("Whose score the steps and columns below explain.")
        output = explain_widgets.output_choice(found.run, help_text=help_text)
        offered = list(dict.fromkeys([found.example.row, found.row, *found.example.others(_MOST_OFFERED)]))
        names = dict(zip(offered, _lines(found, offered), strict=True))
        row = st.selectbox(
            say("Row"),
            offered,
            index=offered.index(found.row),
            format_func=lambda item: names[item],
            key=state.choice_key(f"walk_row_{found.run.run_id}_{found.output}", str(found.row)),
            help=say(
                "Rows with the same outcome, at most {most} and first of all those explained after training; the page "
                "'One decision' takes any row.",
                most=_MOST_OFFERED,
            ),
        )
    state.choose("row", str(row))
    state.keep_chosen(f"walk_row_{found.run.run_id}_{found.output}", str(row))
    if output != found.output:
        state.clear("row")
        st.rerun()
    if row != found.row:
        st.rerun()
    if row == found.example.row:
        st.caption(f"{say('**Why this one?**')} {widgets.md(found.example.why)}")
    else:
        st.caption(say("You chose this row; row {row:,} was suggested.", row=found.example.row))


def link_ids(found: Case) -> dict[str, str]:
    """What a link to another page carries to open on this very row."""
    return {"run": found.run.run_id, "row": str(found.row), "class": str(found.output)}


def _lines(found: Case, rows: list[int]) -> list[str]:
    told = outcomes_in_order(found.outcomes, np.asarray(rows, dtype=np.int64)).table()
    score = explain_widgets.score(found.run, found.output)
    if found.codec.task is Task.REGRESSION:
        values = [score.value(float(value)) for value in told["predicted"]]
        return [say("row {row:,}: {value}", row=row, value=value) for row, value in zip(rows, values, strict=True)]
    shares = [probability(float(share)) for share in told["probability"]]
    lines = zip(rows, told["predicted"], shares, strict=True)
    return [
        say("row {row:,}: {outcome}, probability {share}", row=row, outcome=outcome, share=share)
        for row, outcome, share in lines
    ]


def _given(found: Case, row: int) -> str:
    """What the model says of a row: the class, or the number in words."""
    value = outcomes_in_order(found.outcomes, np.array([row], dtype=np.int64)).table()["predicted"].iloc[0]
    if found.codec.task is Task.REGRESSION:
        return explain_widgets.score(found.run, found.output).value(float(value))
    return str(value)
