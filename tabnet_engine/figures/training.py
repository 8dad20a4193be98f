"""Pictures of a training: losses and metrics by epoch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import plotly.graph_objects as go

from tabnet_engine.explain.wording import joined
from tabnet_engine.figures.theme import ACCENT, NEUTRAL, PALETTE, color, empty, escape, finish, format_number
from tabnet_engine.texts.speaking import say
from tabnet_engine.training.metrics import METRIC_NAMES

if TYPE_CHECKING:
    from tabnet_engine.training.history import EpochRecord

__all__ = ["loss_curves", "metric_curves", "metric_label", "schedule_curves", "split_metric"]


def split_metric(key: str) -> tuple[str, str]:
    """The target and the metric of a score's key; the target is empty where there is only one.

    >>> split_metric("auc"), split_metric("a: b: rmse")
    (('', 'auc'), ('a: b', 'rmse'))
    """
    target, _, metric = key.rpartition(": ")
    return target, metric


def metric_label(key: str) -> str:
    """A score as a reader calls it, with its target where there are several.

    >>> metric_label("auc"), metric_label("price: rmse")
    ('AUC', 'price: RMSE')
    """
    target, metric = split_metric(key)
    name = say(METRIC_NAMES[metric]) if metric in METRIC_NAMES else metric
    return f"{target}: {name}" if target else name


def loss_curves(records: Sequence[EpochRecord], *, best_epoch: int | None = None) -> go.Figure:
    """Training and validation loss by epoch, the kept epoch marked.

    Args:
        records: the epochs so far, in order.
        best_epoch: the epoch whose weights are kept, once known.
    """
    if not records:
        return empty(say("The first epoch has not ended yet."), title=say("Loss"))
    epochs = [record.epoch for record in records]
    figure = go.Figure()
    _line(figure, epochs, [record.train_loss for record in records], say("training rows"), NEUTRAL, dash="dot")
    if any(record.validation_loss is not None for record in records):
        _line(figure, epochs, [record.validation_loss for record in records], say("validation rows"), ACCENT)
    _epoch_axis(figure, epochs[-1])
    _mark_best(figure, best_epoch)
    subtitle = say("lower is better")
    return finish(figure, title=say("Loss"), subtitle=subtitle, x=say("epoch"), y=say("loss"), height=320)


def metric_curves(records: Sequence[EpochRecord], names: Sequence[str], *, best_epoch: int | None = None) -> go.Figure:
    """Metrics on the validation rows by epoch.

    Args:
        records: the epochs so far, in order.
        names: keys of :attr:`EpochRecord.validation` to draw; metrics of one scale belong together.
        best_epoch: the epoch whose weights are kept, once known.
    """
    drawn = [name for name in names if any(record.validation.get(name) is not None for record in records)]
    title = _title(names)
    if not drawn:
        return empty(say("No value of this metric yet."), title=title)
    figure = go.Figure()
    epochs = [record.epoch for record in records]
    for index, name in enumerate(drawn):
        values = [record.validation.get(name) for record in records]
        _line(figure, epochs, values, _line_name(name, drawn), color(index))
    _epoch_axis(figure, epochs[-1])
    _mark_best(figure, best_epoch)
    subtitle, axis = say("on the validation rows"), say("score") if len(drawn) > 1 else _line_name(drawn[0], drawn)
    return finish(figure, title=title, subtitle=subtitle, x=say("epoch"), y=axis, height=320, legend=len(drawn) > 1)


def _title(keys: Sequence[str]) -> str:
    """The metrics, with their target before them where they share one; a user's column keeps its letters."""
    names = [_line_name(key, keys) for key in keys]
    listed = joined(names)
    targets = {split_metric(key)[0] for key in keys}
    only = next(iter(targets)) if len(targets) == 1 else ""
    return f"{only}: {listed}" if only else listed[:1].upper() + listed[1:]


def _line_name(key: str, keys: Sequence[str]) -> str:
    """A metric's name; with its target only where the metrics beside it belong to others."""
    same = len({split_metric(other)[0] for other in keys}) == 1
    return metric_label(split_metric(key)[1] if same else key)


def schedule_curves(records: Sequence[EpochRecord]) -> go.Figure:
    """The learning rate and the entropy of the masks by epoch, each on its own axis.

    Args:
        records: the epochs so far, in order.
    """
    if not records:
        return empty(say("The first epoch has not ended yet."), title=say("Learning rate and mask entropy"))
    epochs = [record.epoch for record in records]
    figure = go.Figure()
    _line(figure, epochs, [record.learning_rate for record in records], say("learning rate"), PALETTE[4])
    entropy = [record.sparsity for record in records]
    _line(figure, epochs, entropy, say("mask entropy"), PALETTE[3], axis="y2", dash="dash")
    _epoch_axis(figure, epochs[-1])
    figure.update_layout(
        yaxis2={"overlaying": "y", "side": "right", "showgrid": False, "tickmode": "auto", "nticks": 6}
    )
    finish(
        figure,
        title=say("Learning rate and mask entropy"),
        subtitle=say("lower entropy: each step reads fewer columns"),
        x=say("epoch"),
        height=320,
    )
    figure.update_layout(yaxis_title_text=escape(say("learning rate")), yaxis2_title_text=escape(say("mask entropy")))
    return figure


def _epoch_axis(figure: go.Figure, n_epochs: int) -> None:
    """Whole epochs only, from the first one on."""
    figure.update_xaxes(range=[0.5, max(n_epochs, 2) + 0.5], tick0=1, dtick=max(1, round(n_epochs / 8)), zeroline=False)


def _line(
    figure: go.Figure,
    epochs: Sequence[int],
    values: Sequence[float | None],
    name: str,
    line_color: str,
    *,
    dash: str = "solid",
    axis: str = "y",
) -> None:
    shown = escape(name)
    figure.add_scatter(
        x=list(epochs),
        y=list(values),
        name=shown,
        mode="lines+markers" if len(epochs) <= 40 else "lines",
        line={"color": line_color, "width": 2, "dash": dash},
        marker={"size": 5},
        yaxis=axis,
        customdata=[format_number(value, 4) for value in values],
        hovertemplate=f"{escape(say('epoch {number}', number='@')).replace('@', '%{x}')}<br>"
        f"{shown} %{{customdata}}<extra></extra>",
    )


def _mark_best(figure: go.Figure, best_epoch: int | None) -> None:
    """The kept epoch, named on the side of its line where the chart has more room: at its edge the name is cut."""
    if best_epoch is None:
        return
    first, last = figure.layout.xaxis.range
    left = best_epoch > (first + last) / 2
    figure.add_vline(
        x=best_epoch,
        line={"color": NEUTRAL, "width": 1, "dash": "dash"},
        annotation={
            "text": escape(say("kept: epoch {number}", number=best_epoch)),
            "font": {"size": 12},
            "xanchor": "right" if left else "left",
            "yanchor": "bottom",
        },
    )
