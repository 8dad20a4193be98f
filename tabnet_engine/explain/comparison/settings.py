"""What two or more runs were trained with, line by line, and where they differ. No torch: pages import this."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tabnet_engine.data.schema import FeatureSchema
from tabnet_engine.texts.speaking import msg

if TYPE_CHECKING:
    from tabnet_engine.runs.run import Run

__all__ = [
    "AUTOMATIC",
    "ORIGIN_NAMES",
    "ColumnUse",
    "SettingLine",
    "compare_columns",
    "compare_origins",
    "compare_settings",
]

AUTOMATIC = "automatic"
# What is known of where a run comes from, as a reader calls it.
ORIGIN_NAMES: Mapping[str, str] = {
    "table": msg("Table"),
    "table_sha256": msg("SHA-256 of the table"),
    "table_rows": msg("Rows of the table"),
    "target": msg("Predicts"),
    "task": msg("Task"),
    "columns_read": msg("Columns read"),
    "training_rows": msg("Training rows"),
    "validation_rows": msg("Validation rows"),
    "test_rows": msg("Test rows"),
    "epochs": msg("Epochs"),
    "kept_epoch": msg("Kept epoch"),
    "seconds": msg("Seconds of training"),
    "device": msg("Device"),
    "engine": msg("Version of the program"),
}


@dataclass(frozen=True, kw_only=True)
class SettingLine:
    """One setting in R runs. ``values`` (R) are as ``--set`` takes them; None where a run has no such setting."""

    section: str
    name: str
    values: tuple[str | None, ...]

    @property
    def differs(self) -> bool:
        """Whether the runs do not all have the same value."""
        return len(set(self.values)) > 1

    def to_mapping(self) -> dict[str, Any]:
        """The line as plain JSON values."""
        return {
            "section": self.section, "name": self.name, "values": list(self.values), "differs": self.differs
        }  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ColumnUse:
    """How R runs use one column: its kind where a run reads it, None where it does not."""

    name: str
    kinds: tuple[str | None, ...]

    @property
    def differs(self) -> bool:
        """Whether it is read by some runs only, or as another kind."""
        return len(set(self.kinds)) > 1


def compare_settings(runs: Sequence[Run]) -> tuple[SettingLine, ...]:
    """Every setting of the model and the training of each run, in the order of their forms."""
    return (
        *_lines("model", [run.model_config.to_mapping() for run in runs]),
        *_lines("training", [_training(run).to_mapping() for run in runs]),
    )


def compare_origins(runs: Sequence[Run]) -> tuple[SettingLine, ...]:
    """Table, target, rows, columns, epochs, time, device and versions of each run."""
    return _lines("origin", [_origin(run) for run in runs])


def compare_columns(schemas: Sequence[FeatureSchema]) -> tuple[ColumnUse, ...]:
    """Every column that any of the schemas reads, in table order of the first that has it."""
    read = [{column.name: str(column.kind) for column in schema.features} for schema in schemas]
    names = dict.fromkeys(name for columns in read for name in columns)
    return tuple(ColumnUse(name=name, kinds=tuple(columns.get(name) for columns in read)) for name in names)


def _training(run: Run) -> Any:
    return run.pretraining_config if run.is_pretraining else run.training_config


def _lines(section: str, mappings: Sequence[Mapping[str, Any]]) -> tuple[SettingLine, ...]:
    names = dict.fromkeys(name for mapping in mappings for name in mapping)
    return tuple(
        SettingLine(section=section, name=name, values=tuple(_text(mapping, name) for mapping in mappings))
        for name in names
    )


def _text(mapping: Mapping[str, Any], name: str) -> str | None:
    if name not in mapping:
        return None
    value = mapping[name]
    return AUTOMATIC if value is None else str(value)


def _origin(run: Run) -> dict[str, Any]:
    manifest = run.manifest
    return {
        "table": manifest.dataset.name,
        "table_sha256": manifest.dataset.sha256,
        "table_rows": f"{manifest.dataset.n_rows:,}",
        "target": manifest.target,
        "task": str(manifest.task),
        "columns_read": str(len(run.schema.features)),
        "training_rows": f"{manifest.rows.get('train', 0):,}",
        "validation_rows": f"{manifest.rows.get('validation', 0):,}",
        "test_rows": f"{manifest.rows.get('test', 0):,}",
        "epochs": str(len(run.history)),
        "kept_epoch": str(manifest.best_epoch),
        "seconds": f"{manifest.seconds:.1f}",
        "device": manifest.device,
        "engine": manifest.engine_version,
    }
