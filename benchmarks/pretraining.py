"""What masked pretraining is worth with few labels: test scores with it and without, over several seeds.

    python benchmarks/pretraining.py
    python benchmarks/pretraining.py --table covertype --budgets 500,2000 --seeds 0,1,2 --out worth.json

The encoder is pretrained once on four fifths of the table, without the target. The other fifth is the test: it
validates the pretraining, which does not learn from it. For each budget and seed, so many labelled rows (those that
choose the best epoch included) train a network twice: from the pretrained weights and from fresh ones, with the same
rows, architecture, settings and reading of the columns. The third score, ``own settings``, is what a user without a
pretraining would get from the same rows: the architecture and settings suggested for so few, scales and categories
learned from them alone. All settings are the suggested ones, but for the width of the pretrained network.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import pandas as pd

from tabnet_engine.config import ModelConfig, PretrainingConfig, TrainingConfig
from tabnet_engine.data.kinds import propose_schema, set_target
from tabnet_engine.data.schema import FeatureSchema
from tabnet_engine.data.tables import ReadOptions, read_table
from tabnet_engine.data.targets import TargetCodec
from tabnet_engine.training.callbacks import Callback, TrainingState
from tabnet_engine.training.experiment import train_model
from tabnet_engine.training.pretrain import PretrainedModel, pretrain_model
from tabnet_engine.training.pretraining_worth import PretrainingWorth, labelled_sample, pretraining_worth

DATA = Path(os.environ.get("TABNET_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
# File, target, header.
TABLES = {
    "adult": ("adult/adult.data", "14", "none"),
    "credit": ("credit_default/UCI_Credit_Card.csv", "default.payment.next.month", "first"),
    "housing": ("california_housing/housing.csv", "median_house_value", "first"),
    "covertype": ("covertype/covtype_92962.data.xz", "54", "none"),
}
TEST_SHARE = 0.2


class Narrator(Callback):
    """Says on stderr how the pretraining goes."""

    def on_epoch_end(self, state: TrainingState) -> None:
        """One line an epoch."""
        if state.record is not None:
            shown = (state.record.train_loss, state.record.validation_loss or 0.0, state.record.seconds)
            told = "pretraining epoch {}: loss {:.4f}, error on held-out cells {:.4f}, {:.1f} s"
            print(told.format(state.epoch, *shown), file=sys.stderr)


@dataclass(frozen=True)
class Settings:
    """What one run of the benchmark compares."""

    frame: pd.DataFrame
    schema: FeatureSchema
    budgets: tuple[int, ...]
    seeds: tuple[int, ...]


def settings_for(budget: int) -> TrainingConfig:
    """What both trainings of a pair use; without a pretraining nothing is frozen."""
    return TrainingConfig.suggest(n_rows=budget).for_fine_tuning().replace(device="cpu")


def pretrain(frame: pd.DataFrame, schema: FeatureSchema, epochs: int | None, width: int) -> PretrainedModel:
    """The pretraining, with the suggested settings; all columns at once ask for more width than one target."""
    changes = {"validation_fraction": TEST_SHARE, "device": "cpu"} | ({} if epochs is None else {"max_epochs": epochs})
    suggested = ModelConfig.suggest(n_rows=len(frame), n_features=len(schema.features))
    model_config = suggested.replace(n_d=width, n_a=width)
    config = PretrainingConfig.suggest(n_rows=len(frame)).replace(**changes)
    return pretrain_model(frame, schema, model_config, config, callbacks=[Narrator()])


def own_settings(settings: Settings, pretrained: PretrainedModel, metric: str) -> dict[int, list[float]]:
    """Scores of networks that never heard of a pretraining, on the same labelled and test rows."""
    rows, test = pretrained.splits.train, settings.frame.iloc[pretrained.splits.validation]
    codec = TargetCodec.fit(settings.frame, settings.schema)
    y = codec.encode(settings.frame, rows=rows)
    scores: dict[int, list[float]] = {}
    for budget in settings.budgets:
        shape = ModelConfig.suggest(n_rows=budget, n_features=len(settings.schema.features))
        for seed in settings.seeds:
            part = settings.frame.iloc[rows[labelled_sample(y, codec.task, budget, seed)]]
            config = TrainingConfig.suggest(n_rows=budget).replace(device="cpu", seed=seed)
            model = train_model(part, settings.schema, shape, config, test_frame=test)
            scores.setdefault(budget, []).append(float(model.metrics["test"][metric] or np.nan))
            print(f"own settings, {budget} labels, seed {seed}: {scores[budget][-1]:.4f}", file=sys.stderr)
    return scores


def keep(path: Path | None, worth: PretrainingWorth, own: dict[int, list[float]]) -> None:
    """Write every score."""
    if path is not None:
        path.write_text(json.dumps({"worth": worth.to_mapping(), "own_settings": own}, indent=1))


def show(worth: PretrainingWorth, own: dict[int, list[float]]) -> None:
    """Print the table: mean ± standard deviation over the seeds, and the paired difference with its 95 % interval."""
    n_seeds = len(worth.seeds)
    print(f"{worth.metric} on {worth.n_test:,} test rows, {n_seeds} seeds; 'gain' is with minus same, paired\n")
    print(f"{'labels':>8}  {'with pretraining':>18}  {'without, same':>18}  {'own settings':>18}  gain (95 % interval)")
    for row in worth.summary():
        arms = [(row.with_mean, row.with_deviation), (row.without_mean, row.without_deviation)]
        arms.append((statistics.mean(own[row.budget]), statistics.stdev(own[row.budget]) if n_seeds > 1 else None))
        cells = "  ".join(f"{mean:>9.4f} ± {spread or 0:.4f}".rjust(18) for mean, spread in arms)
        interval = "" if row.difference_low is None else f" ({row.difference_low:+.4f} to {row.difference_high:+.4f})"
        print(f"{row.budget:>8,}  {cells}  {row.difference:+.4f}{interval}")


def main() -> None:
    """Pretrain, compare, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--table", choices=sorted(TABLES), default="adult")
    parser.add_argument("--budgets", default="500", help="numbers of labelled rows, with commas")
    parser.add_argument("--seeds", default="0,1,2,3,4", help="with commas")
    parser.add_argument("--epochs", type=int, default=None, help="of the pretraining; the suggested number when absent")
    parser.add_argument("--width", type=int, default=32, help="n_d and n_a of the pretrained network")
    parser.add_argument("--out", type=Path, default=None, help="keep every score here as JSON")
    given = parser.parse_args()
    path, target, header = TABLES[given.table]
    frame = read_table(DATA / path, ReadOptions(header=header)).frame
    schema = set_target(propose_schema(frame), frame, target)
    budgets, seeds = (tuple(int(part) for part in text.split(",")) for text in (given.budgets, given.seeds))
    settings = Settings(frame, schema, budgets, seeds)
    started = time.perf_counter()
    pretrained = pretrain(frame, schema, given.epochs, given.width)
    worth = pretraining_worth(
        frame,
        schema,
        pretrained,
        settings_for,
        budgets=budgets,
        seeds=seeds,
        progress=lambda done, total: print(f"{done} of {total} trainings", file=sys.stderr),
    )
    keep(given.out, worth, {})
    own = own_settings(settings, pretrained, worth.metric)
    keep(given.out, worth, own)
    show(worth, own)
    error, epochs = pretrained.reconstruction.overall, len(pretrained.history)
    print(f"\n{given.table}: {time.perf_counter() - started:,.0f} s in all, {pretrained.seconds:,.0f} of them for")
    print(f"{epochs} epochs of pretraining; error on hidden cells {error:.3f} of that of predicting the mean")


if __name__ == "__main__":
    main()
