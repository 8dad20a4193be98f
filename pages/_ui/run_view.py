"""One run on the page: its scores, its curves, its settings, where it came from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from pages._ui import run_charts, shell, widgets
from pages._ui.job_panel import time_text
from pages._ui.train_settings import label_of
from tabnet_engine.explain.wording import joined
from tabnet_engine.figures.training import (
    loss_curves,
    metric_curves,
    metric_label,
    schedule_curves,
    split_metric,
)
from tabnet_engine.texts.speaking import msg, say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tabnet_engine.runs.run import Run

_SAME_SCALE = (("auc", "accuracy", "balanced_accuracy"), ("rmse", "mae"), ("r2",), ("reconstruction_error",))
# The squared error repeats the RMSE in a unit nobody thinks in; the RMSLE has no value where a target is negative.
_ONLY_IN_FULL = frozenset({"mse", "rmsle"})

__all__ = ["curves", "explanation_links", "origin", "scores", "settings", "summary"]

_SPLITS = {
    "test": msg("Test {score}"),
    "validation": msg("Validation {score}"),
    "train": msg("Training {score}"),
}
_METRIC_HELP = {
    "auc": msg(
        "Share of pairs, one of each class, that the score puts in the right order. 0.5 is chance, 1 is perfect."
    ),
    "accuracy": msg("Share of rows whose predicted class is right."),
    "balanced_accuracy": msg("Mean over the classes of the share of their rows that is right."),
    "log_loss": msg("Mean surprise at the true class; lower is better, it punishes confident mistakes."),
    "rmse": msg("Typical size of an error in the target's own unit; large errors weigh more. Lower is better."),
    "mae": msg("Mean size of an error in the target's own unit. Lower is better."),
    "mse": msg("Mean squared error, in the target's unit squared. Lower is better."),
    "rmsle": msg(
        "Typical error of the logarithm, about the relative error; for targets that are not negative. Lower is better."
    ),
    "reconstruction_error": msg("Error on hidden cells: 0 is exact, 1 is no better than each column's mean."),
    "r2": msg("Share of the target's variance that is predicted; 0 is no better than the mean, 1 is perfect."),
}


def summary(run: Run) -> None:
    """The scores of the test rows (or the validation rows where there are none), a row of them for each target."""
    _scores(run, "test" if run.manifest.metrics.get("test") else "validation", left_out=_ONLY_IN_FULL)


def scores(run: Run) -> None:
    """The scores of every split, the test rows first."""
    for split in sorted(run.manifest.metrics):
        _scores(run, split)
    if not any(run.manifest.metrics.values()):
        widgets.info(say("This run has no scores: it was not tested here, as a model that was imported is not"))


def _scores(run: Run, split: str, *, left_out: frozenset[str] = frozenset()) -> None:
    values = run.manifest.metrics.get(split, {})
    groups: dict[str, list[str]] = {}
    for key in values:
        target, metric = split_metric(key)
        if metric not in left_out:
            groups.setdefault(target, []).append(key)
    for target, keys in groups.items():
        if target:
            st.markdown(f"**{widgets.md(target)}**")
        shown = {_score_label(split, split_metric(key)[1]): key for key in keys}
        widgets.metrics(
            {label: widgets.score(key, values[key]) for label, key in shown.items()},
            help_texts={label: _help(split_metric(key)[1]) for label, key in shown.items()},
        )


def _score_label(split: str, metric: str) -> str:
    """A score with the rows that it was measured on, such as "Test AUC"."""
    name = metric_label(metric)
    return say(_SPLITS[split], score=name) if split in _SPLITS else f"{split.capitalize()} {name}"


def _help(metric: str) -> str:
    return say(_METRIC_HELP[metric]) if metric in _METRIC_HELP else ""


def explanation_links(run_id: str) -> None:
    """The pages that explain this run."""
    with st.container(horizontal=True, gap="medium"):
        shell.link("importance", say("What matters overall"), icon=":material/bar_chart:", run=run_id)
        shell.link("masks", say("What each step read"), icon=":material/grid_on:", run=run_id)
        shell.link("shap_comparison", say("Masks against SHAP"), icon=":material/compare_arrows:", run=run_id)
        shell.link("decision", say("One decision"), icon=":material/person_search:", run=run_id)


def curves(run: Run, *, schedule: bool = True) -> None:
    """Loss and the task's metrics by epoch, and learning rate and mask entropy where ``schedule`` asks for them."""
    history = run.history
    if not history.records:
        st.caption(say("No epochs are known of this run: it was trained elsewhere."))
        return
    figures: list[tuple[Any, str]] = [
        (loss_curves(history.records, best_epoch=history.best_epoch), say("Loss by epoch"))
    ]
    for drawn in _drawn_together(list(history.records[-1].validation)):
        figure = metric_curves(history.records, drawn, best_epoch=history.best_epoch)
        listed = joined([metric_label(name) for name in drawn])
        figures.append((figure, say("Validation {score} by epoch", score=listed)))
    if schedule:
        figures.append((schedule_curves(history.records), say("Learning rate and mask entropy by epoch")))
    for start in range(0, len(figures), 2):
        run_charts.charts_row(figures[start : start + 2], history.records, key=f"curves_{run.run_id}_{start}")


def _drawn_together(keys: Sequence[str]) -> list[list[str]]:
    """Scores of one target that share a scale, one group a chart."""
    known = {split_metric(key): key for key in keys}
    targets = dict.fromkeys(target for target, _ in known)
    groups = [[known.get((target, name)) for name in scale] for target in targets for scale in _SAME_SCALE]
    return [drawn for group in groups if (drawn := [key for key in group if key is not None])]


def settings(run: Run) -> None:
    """The settings the run was trained with."""
    config = run.pretraining_config if run.is_pretraining else run.training_config
    left, right = st.columns(2)
    with left:
        _settings_table(say("Model"), run.model_config.to_mapping(), key=f"model_{run.run_id}")
    with right:
        title = say("Pretraining") if run.is_pretraining else say("Training")
        _settings_table(title, config.to_mapping(), key=f"training_{run.run_id}")


def origin(run: Run) -> None:
    """Table, rows of each split, versions, and the SHA-256 of everything."""
    manifest = run.manifest
    widgets.metrics(
        {
            say("Training rows"): f"{manifest.rows.get('train', 0):,}",
            say("Validation rows"): f"{manifest.rows.get('validation', 0):,}",
            say("Test rows"): f"{manifest.rows.get('test', 0):,}",
            say("Columns read"): str(len(run.schema.features)),
            say("Kept epoch"): _kept_epoch(run),
            say("Training took"): time_text(manifest.seconds) if len(run.history) else "–",
            say("Device"): manifest.device,
        }
    )
    widgets.notes(say("What was done"), [widgets.said(note) for note in manifest.notes])
    facts = {say("run"): run.run_id, say("created (UTC)"): manifest.created[:19].replace("T", " "), **manifest.versions}
    facts |= {say("table"): manifest.dataset.name, say("SHA-256 of the table"): manifest.dataset.sha256}
    facts |= {say("SHA-256 of {part}", part=name): digest for name, digest in manifest.parts.items()}
    _table(say("Provenance"), facts, key=f"facts_{run.run_id}")


def _kept_epoch(run: Run) -> str:
    if not len(run.history):
        return "–"
    return say("{done} of {most}", done=run.manifest.best_epoch, most=len(run.history))


def _settings_table(title: str, values: Mapping[str, object], *, key: str) -> None:
    """As the form calls them, and as ``--set`` does."""
    st.markdown(f"**{title}**")
    rows = {
        say("setting"): [label_of(name) for name in values],
        say("name"): list(values),
        say("value"): [say("automatic") if v is None else str(v) for v in values.values()],
    }
    st.dataframe(pd.DataFrame(rows), hide_index=True, key=key)


def _table(title: str, values: Mapping[str, object], *, key: str) -> None:
    st.markdown(f"**{title}**")
    rows = pd.DataFrame(
        {
            say("name"): list(values),
            say("value"): [say("automatic") if v is None else str(v) for v in values.values()],
        }
    )
    st.dataframe(rows, hide_index=True, key=key)
