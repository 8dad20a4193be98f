"""One run on the page: its scores, its curves, its settings, where it came from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from pages._ui import shell, widgets
from pages._ui.job_panel import time_text
from pages._ui.train_settings import BASIC, GROUPS
from tabnet_engine.figures.training import METRIC_NAMES, loss_curves, metric_curves, schedule_curves

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tabnet_engine.runs.run import Run

_SAME_SCALE = (("auc", "accuracy", "balanced_accuracy"), ("rmse", "mae"), ("r2",))

__all__ = ["curves", "explanation_links", "origin", "scores", "settings", "summary"]

_METRIC_HELP = {
    "auc": "Share of pairs, one of each class, that the score puts in the right order. 0.5 is chance, 1 is perfect.",
    "accuracy": "Share of rows whose predicted class is right.",
    "balanced_accuracy": "Mean over the classes of the share of their rows that is right.",
    "log_loss": "Mean surprise at the true class; lower is better, it punishes confident mistakes.",
    "rmse": "Typical size of an error in the target's own unit; large errors weigh more. Lower is better.",
    "mae": "Mean size of an error in the target's own unit. Lower is better.",
    "r2": "Share of the target's variance that is predicted; 0 is no better than the mean, 1 is perfect.",
}


def summary(run: Run) -> None:
    """The scores of the test rows (or the validation rows where there are none), in one row."""
    _scores(run, "test" if run.manifest.metrics.get("test") else "validation")


def scores(run: Run) -> None:
    """The scores of every split, the test rows first."""
    for split in sorted(run.manifest.metrics):
        _scores(run, split)


def _scores(run: Run, split: str) -> None:
    values = run.manifest.metrics.get(split, {})
    shown = {f"{split.capitalize()} {METRIC_NAMES.get(name, name)}": name for name in values}
    widgets.metrics(
        {label: widgets.score(name, values[name]) for label, name in shown.items()},
        help_texts={label: _METRIC_HELP.get(name, "") for label, name in shown.items()},
    )


def explanation_links(run_id: str) -> None:
    """The pages that explain this run."""
    with st.container(horizontal=True, gap="medium"):
        shell.link("importance", "What matters overall", icon=":material/bar_chart:", run=run_id)
        shell.link("masks", "What each step read", icon=":material/grid_on:", run=run_id)
        shell.link("shap_comparison", "Masks against SHAP", icon=":material/compare_arrows:", run=run_id)
        shell.link("decision", "One decision", icon=":material/person_search:", run=run_id)


def curves(run: Run, *, schedule: bool = True) -> None:
    """Loss and the task's metrics by epoch, and learning rate and mask entropy where ``schedule`` asks for them."""
    history = run.history
    names = list(history.best.validation)
    figures: list[tuple[Any, str]] = [(loss_curves(history.records, best_epoch=history.best_epoch), "Loss by epoch")]
    for group in _SAME_SCALE:
        drawn = [name for name in group if name in names]
        if drawn:
            figure = metric_curves(history.records, drawn, best_epoch=history.best_epoch)
            figures.append((figure, f"Validation {', '.join(drawn)} by epoch"))
    if schedule:
        figures.append((schedule_curves(history.records), "Learning rate and mask entropy by epoch"))
    for start in range(0, len(figures), 2):
        widgets.figures_row(figures[start : start + 2], key=f"curves_{run.run_id}_{start}")


def settings(run: Run) -> None:
    """The settings the run was trained with."""
    left, right = st.columns(2)
    with left:
        _settings_table("Model", run.model_config.to_mapping(), key=f"model_{run.run_id}")
    with right:
        _settings_table("Training", run.training_config.to_mapping(), key=f"training_{run.run_id}")


def origin(run: Run) -> None:
    """Table, rows of each split, versions, and the SHA-256 of everything."""
    manifest = run.manifest
    widgets.metrics(
        {
            "Training rows": f"{manifest.rows.get('train', 0):,}",
            "Validation rows": f"{manifest.rows.get('validation', 0):,}",
            "Test rows": f"{manifest.rows.get('test', 0):,}",
            "Columns read": str(len(run.schema.features)),
            "Kept epoch": f"{manifest.best_epoch} of {len(run.history)}",
            "Training took": time_text(manifest.seconds),
            "Device": manifest.device,
        }
    )
    widgets.notes("What was done", manifest.notes)
    facts = {"run": run.run_id, "created (UTC)": manifest.created[:19].replace("T", " "), **manifest.versions}
    facts |= {"table": manifest.dataset.name, "SHA-256 of the table": manifest.dataset.sha256}
    facts |= {f"SHA-256 of {name}": digest for name, digest in manifest.parts.items()}
    _table("Provenance", facts, key=f"facts_{run.run_id}")


def _settings_table(title: str, values: Mapping[str, object], *, key: str) -> None:
    """As the form calls them, and as ``--set`` does."""
    labels = {item.name: item.label for item in (*BASIC, *(item for _, group in GROUPS.values() for item in group))}
    st.markdown(f"**{title}**")
    rows = {
        "setting": [labels.get(name, name) for name in values],
        "name": list(values),
        "value": ["automatic" if v is None else str(v) for v in values.values()],
    }
    st.dataframe(pd.DataFrame(rows), hide_index=True, key=key)


def _table(title: str, values: Mapping[str, object], *, key: str) -> None:
    st.markdown(f"**{title}**")
    rows = pd.DataFrame(
        {"name": list(values), "value": ["automatic" if v is None else str(v) for v in values.values()]}
    )
    st.dataframe(rows, hide_index=True, key=key)
