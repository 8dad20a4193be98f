"""How a network was made: its settings, its epochs, what was noted, and what it reads its columns with."""

from __future__ import annotations

from collections.abc import Sequence

from tabnet_engine.explain.comparison.settings import AUTOMATIC
from tabnet_engine.figures.plain import Line, LineChart
from tabnet_engine.report.dates import moment_words
from tabnet_engine.report.document import Block, Bullets, ChartBlock, Facts, Paragraph, Table
from tabnet_engine.report.measured_words import cell, metric_text, number, score, task_text
from tabnet_engine.report.model.draft import Blocks, Draft
from tabnet_engine.runs.run import WEIGHTS
from tabnet_engine.texts.recalling import recalled
from tabnet_engine.texts.speaking import msg, say
from tabnet_engine.training.history import EpochRecord

__all__ = ["epoch_blocks", "identity_facts", "note_blocks", "setting_tables", "theory_blocks"]

_MOST_CLASSES = 20
_IMPORTED = msg("The model was imported: there is no record of its training here.")
_THEORY = (
    msg(
        "TabNet decides in steps, one after the other (Arik & Pfister 2021). In each step a mask chooses, for every "
        "row anew, which columns are read; what is read adds to the score. The score is exactly the sum of what the "
        "steps add and a base."
    ),
    msg(
        "Masks say what was read. They are not reasons: which way a column pushed the score is measured by signed "
        "attributions against a stated background, and several methods are set side by side."
    ),
    msg("What the network knows of columns and outcomes it learned from its training rows; its settings were chosen."),
)


def identity_facts(draft: Draft) -> Facts:
    """What the model is called, what it predicts, and by which programs it was made."""
    run = draft.evidence.run
    manifest, config = run.manifest, run.model_config
    classes = [
        say("{target}: {classes}", target=codec.name, classes=cell(codec.classes, _MOST_CLASSES))
        for codec in run.targets.codecs
        if codec.classes
    ]
    return Facts(
        lines=(
            (say("Model"), manifest.title),
            (say("Run"), manifest.run_id),
            (say("Made on"), moment_words(manifest.created)),
            (say("Kind of model"), say("TabNet with {n_steps} decision steps", n_steps=config.n_steps)),
            (say("Kind of prediction"), task_text(manifest.task)),
            (say("Predicts"), manifest.target),
            *((say("Classes"), text) for text in classes),
            (say("Columns read"), number(len(run.schema.features))),
            (say("SHA-256 of the weights"), manifest.parts[WEIGHTS]),
            (say("Version of the engine"), manifest.engine_version),
            (say("Version of Python"), manifest.python_version),
            (say("Version of torch"), manifest.torch_version),
        )
    )


def theory_blocks() -> Blocks:
    """How this kind of model decides."""
    return tuple(Paragraph(text=say(text)) for text in _THEORY)


def setting_tables(draft: Draft, section: str) -> Blocks:
    """Every setting of the ``model`` or the ``training``, as the command line takes it."""
    run = draft.evidence.run
    if section == "training" and draft.evidence.is_imported:
        return (Paragraph(text=say(_IMPORTED)),)
    settings = run.model_config if section == "model" else run.training_config
    caption = say("Settings of the network") if section == "model" else say("Settings of the training")
    rows = tuple((name, _value(value)) for name, value in settings.to_mapping().items())
    return (Table(caption=caption, columns=(say("Setting"), say("Value")), rows=rows),)


def epoch_blocks(draft: Draft) -> Blocks:
    """The record of the training: epochs, the one that was kept, time and device, the losses."""
    run = draft.evidence.run
    history = run.history
    if not len(history):
        return (Paragraph(text=say(_IMPORTED)),)
    best = history.best
    lines = [
        (say("Epochs"), number(len(history))),
        (say("Kept epoch"), number(history.best_epoch)),
        (say("Loss of the training rows at that epoch"), score("loss", best.train_loss)),
        *((say("{measure} of the validation rows at that epoch", measure=metric_text(name)), score(name, value))
          for name, value in best.validation.items() if value is not None),
        (say("Seconds of training"), number(round(run.manifest.seconds, 1))),
        (say("Device"), run.manifest.device),
        (say("Seed"), str(run.training_config.seed)),
    ]  # fmt: skip
    search = say(
        "One training is recorded here. Trainings of the same table with other settings are runs of their own; a "
        "search among them is not recorded with the run."
    )
    return (Facts(lines=tuple(lines)), _losses(draft), Paragraph(text=search))


def note_blocks(draft: Draft) -> tuple[Block, ...]:
    """What was noted when the model was made, such as rows left out or a pretraining that it started from."""
    notes = draft.evidence.run.manifest.notes
    if not notes:
        return (Paragraph(text=say("Nothing was noted when the model was made.")),)
    title = Paragraph(text=say("Noted when the model was made"), is_strong=True)
    return (title, Bullets(items=tuple(recalled(note) for note in notes)))


def _losses(draft: Draft) -> ChartBlock:
    history = draft.evidence.run.history
    records = history.records
    validated = [record for record in records if record.validation_loss is not None]
    lines = [Line(name=say("training rows"), x=_epochs(records), y=tuple(record.train_loss for record in records))]
    if validated:
        losses = tuple(float(record.validation_loss or 0.0) for record in validated)
        lines.append(Line(name=say("validation rows"), x=_epochs(validated), y=losses))
    return ChartBlock(
        chart=LineChart(title=say("Loss by epoch"), x_title=say("epoch"), y_title=say("loss"), lines=tuple(lines)),
        alt=say(
            "The loss of the training rows went from {first} to {last} over {n_epochs:,} epochs; epoch {best} was "
            "kept.",
            first=score("loss", records[0].train_loss),
            last=score("loss", records[-1].train_loss),
            n_epochs=len(records),
            best=history.best_epoch,
        ),
    )


def _epochs(records: Sequence[EpochRecord]) -> tuple[float, ...]:
    return tuple(float(record.epoch) for record in records)


def _value(value: object) -> str:
    if value is None:
        return say(AUTOMATIC)
    if isinstance(value, bool):
        return say("yes") if value else say("no")
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "–"
    return str(value)
