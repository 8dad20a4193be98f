"""One comparison of groups on the page: sentences first, then every measure with its interval."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from pages._ui import explain_widgets, groups_access, kept, measures, widgets
from tabnet_engine.data.schema import Task
from tabnet_engine.explain.groups.audit import MEASURES
from tabnet_engine.figures.group_attributions import attribution_map, column_by_group
from tabnet_engine.figures.group_rows import group_name
from tabnet_engine.figures.groups import measure_by_group, measure_title, proxy_strengths
from tabnet_engine.texts.speaking import msg, say, say_plural

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tabnet_engine.explain.groups.audit import GroupAudit
    from tabnet_engine.explain.groups.spread import AttributionSpread
    from tabnet_engine.runs.run import Run

__all__ = ["report"]

_FIRST_SAID = 8
_ERRORS = ("false_positive_rate", "false_negative_rate")
_SELECTION = ("selection_rate", "selection_ratio", "favourable_rate", "selection_difference")
_PERFORMANCE = ("auc", "accuracy", "balanced_accuracy", "log_loss", "rmse", "mae", "r2")
_CALIBRATION = ("calibration_in_the_large", "calibration_slope", "calibration_error")
_NO_DECISION = msg(
    "Nothing says yet which outcome is favourable, so there is no selection to compare; choose it above, then measure"
)
_FACTS = msg("These are facts about the groups. Whether a difference is just or allowed is not for a number to say.")


def report(run: Run, audit: GroupAudit) -> None:
    """Everything that was measured of these groups."""
    _summary(audit)
    views: dict[str, tuple[str, Callable[[Run, GroupAudit], None]]] = {
        "selection": (say("Selection"), _selection),
        "performance": (say("Performance"), _performance),
        "calibration": (say("Calibration"), _calibration),
        "explanations": (say("Explanations"), _explanations),
        "proxies": (say("Proxies"), _proxies),
        "table": (say("All numbers"), _table),
    }
    start = "selection" if audit.decision else "performance"
    chosen = kept.tabs("view", say("View"), {key: words for key, (words, _) in views.items()}, default=start)
    views[chosen][1](run, audit)
    st.caption(widgets.md(audit.note))


def _summary(audit: GroupAudit) -> None:
    small = sum(group.is_small for group in audit.groups)
    widgets.metrics(
        {
            say("Groups"): f"{len(audit.groups):,}",
            say("Rows compared"): f"{audit.everyone.n_rows:,}",
            say("Told apart"): f"{len({found.group for found in audit.differences if found.is_told_apart}):,}",
            say("Small groups"): f"{small:,}",
        },
        help_texts={
            say("Told apart"): say(
                "Groups whose error, calibration or selection differs from that of all other rows by more than chance "
                "makes of it, over all groups and measures together."
            ),
            say("Small groups"): say("With fewer than 50 rows of a known outcome: their intervals are wide."),
        },
    )
    sentences = audit.sentences
    explain_widgets.bullets(sentences[:_FIRST_SAID], are_said=True)
    if len(sentences) > _FIRST_SAID:
        more = len(sentences) - _FIRST_SAID
        with st.expander(say_plural("{count} more sentence", "{count:,} more sentences", more)):
            explain_widgets.bullets(sentences[_FIRST_SAID:], are_said=True)
    st.caption(say(_FACTS))


def _pair(audit: GroupAudit, names: Sequence[str]) -> None:
    """Charts of measures, two beside each other where there is room."""
    for start in range(0, len(names), 2):
        for place, name in zip(st.columns(2), names[start : start + 2], strict=False):
            with place:
                _chart(audit, name)


def _chart(audit: GroupAudit, measure: str) -> None:
    def data() -> pd.DataFrame:
        table = audit.table()
        return table[table["measure"] == measure]

    alt = say(
        "{title}: one point for each of {n_groups} groups", title=measure_title(measure), n_groups=len(audit.groups)
    )
    widgets.chart(measure_by_group(audit, measure), key=f"groups_{measure}".replace(": ", "_"), alt=alt, data=data)


def _selection(run: Run, audit: GroupAudit) -> None:  # noqa: ARG001 - all views are called alike
    st.subheader(say("Who is selected"), anchor=False, help=measures.help_text("selection_rate"))
    if not audit.decision:
        widgets.info(say(_NO_DECISION))
        return
    st.markdown(
        widgets.as_sentence(say("Selected means that {decision}", decision=widgets.said(audit.decision)), capital=False)
    )
    _pair(audit, _SELECTION)
    st.subheader(say("Which errors fall on whom"), anchor=False, help=measures.help_text("group_errors"))
    _pair(audit, _ERRORS)


def _performance(run: Run, audit: GroupAudit) -> None:  # noqa: ARG001 - as above
    st.subheader(say("How well each group is predicted"), anchor=False, help=say(_SCORE_HELP))
    _pair(audit, [name for name in _PERFORMANCE if name in audit.everyone.measures])


_SCORE_HELP = msg(
    "The scores of the run on the rows of each group. A difference may come from the rows, not the model."
)


def _calibration(run: Run, audit: GroupAudit) -> None:  # noqa: ARG001 - as above
    st.subheader(
        say("Whether predictions are as high as outcomes"), anchor=False, help=measures.help_text("calibration")
    )
    names = [name for name in _CALIBRATION if name in audit.everyone.measures]
    of_class = [name for name in audit.everyone.measures if name.startswith("calibration_in_the_large: ")]
    if of_class:
        shown = {name: name.partition(": ")[2] for name in of_class}
        names.insert(0, kept.choice("calibrated", say("Class"), shown, help_text=say("Of which class.")))
    _pair(audit, names)


def _explanations(run: Run, audit: GroupAudit) -> None:
    st.subheader(say("What pushes the groups which way"), anchor=False, help=measures.help_text("shap"))
    spread = audit.attribution
    if spread is None:
        widgets.info(
            say("This comparison has no explanations: the run had no SHAP values then; explain the run, measure again")
        )
        return
    output = _output(run, audit, spread)
    order = spread.order(output)
    widgets.chart(
        attribution_map(spread, audit, output, order),
        key="groups_pushes",
        alt=say("Mean SHAP value of each column in each group, as a map"),
        data=spread.table,
    )
    if len(order) > 20:
        st.caption(say("The 20 columns with the largest values; the data has all {n_columns:,}.", n_columns=len(order)))
    names = {spread.features[place]: spread.features[place] for place in order}
    column = kept.choice("column", say("Column"), names, help_text=say("Shown below with its intervals."))
    widgets.chart(
        column_by_group(spread, audit, output, spread.features.index(column)),
        key="groups_column",
        alt=say("Mean SHAP value of {column} in each group, with its interval", column=column),
        data=lambda: spread.table()[lambda table: table["column"] == column],
    )
    st.caption(
        say(
            "A column may push one group more because its cells differ there, not because the group is treated "
            "otherwise. {provenance}",
            provenance=widgets.md(widgets.said(spread.provenance)),
        )
    )


def _output(run: Run, audit: GroupAudit, spread: AttributionSpread) -> int:
    if len(spread.outputs) == 1:
        return 0
    codec, _ = run.targets.of(audit.target)
    label = say("Class") if codec.task is Task.MULTICLASS else say("Output")
    names = {str(place): name for place, name in enumerate(spread.outputs)}
    return int(kept.choice("class", label, names, help_text=say("Whose score the columns push.")))


def _proxies(run: Run, audit: GroupAudit) -> None:
    st.subheader(say("Which columns give it away"), anchor=False, help=measures.help_text("proxy"))
    if audit.settings.get("crossed_with"):
        widgets.info(say("Proxies are looked for of one column at a time; choose no second column above"))
        return
    found = groups_access.proxies(run, audit.column)
    if found is None:
        widgets.info(
            say(
                "No proxies were found out: that needs two groups and 50 rows at least; measure again if they are there"
            )
        )
        return
    explain_widgets.bullets(found.sentences)
    widgets.chart(
        proxy_strengths(found),
        key="groups_proxies",
        alt=say("How well each column tells {column}", column=found.column),
        data=found.table,
    )
    st.caption(widgets.md(found.note))


def _table(run: Run, audit: GroupAudit) -> None:  # noqa: ARG001 - as above
    st.subheader(say("Every measure of every group"), anchor=False)
    st.dataframe(
        shown_table(audit),
        hide_index=True,
        height=460,
        column_config={name: st.column_config.NumberColumn(format="%.4g") for name in _columns()[2:5]},
    )
    explain_widgets.csv_button(say("Download all numbers"), audit.table(), name="groups", key="groups_csv")
    widgets.notes(say("What the measures are"), [_meaning(name) for name in audit.everyone.measures])


def _columns() -> list[str]:
    return [say("group"), say("measure"), say("value"), say("low"), say("high"), say("rows")]


def shown_table(audit: GroupAudit) -> pd.DataFrame:
    """One line for each group and measure, in the reader's words."""
    table = audit.table()
    table["group"] = [group_name(audit, name) for name in table["group"]]
    table["measure"] = [measure_title(name) for name in table["measure"]]
    return table.set_axis(_columns(), axis=1)


def _meaning(name: str) -> str:
    return say("{measure}: {meaning}", measure=measure_title(name), meaning=say(MEASURES[name.partition(": ")[0]]))
