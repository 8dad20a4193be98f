"""How well this TabNet predicts, beside LightGBM and pytorch-tabnet, on real tables and on Syn1 to Syn6.

    python benchmarks/quality.py --out quality.json
    python benchmarks/quality.py --tables adult,poker --models best,lightgbm --seeds 0,1,2 --out quality.json

The peers are in ``benchmarks/requirements.txt``. Every fit is kept in ``--out`` as soon as it is done; the same
command goes on where it was stopped, and ``--show`` prints what is there.

All models learn from the same rows and are tested on the same rows. A fifth of a table is kept for the test
(Adult and the generated tables have test rows of their own); a tenth of the rest chooses the best epoch. The seed
deals the rows and starts the models. ``best`` and ``paper`` are this project's presets as any user gets them: no
setting is chosen here. LightGBM: 400 trees at a rate of 0.05, categories declared. pytorch-tabnet: n_d = n_a = 16,
3 steps, batches of 1,024, the best of ``--epochs`` epochs, categories declared. CPU seconds are those of training.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import numpy.typing as npt
import pandas as pd

from tabnet_engine.config import choose_settings
from tabnet_engine.data.alignment import align_labels
from tabnet_engine.data.encoding import TableEncoder
from tabnet_engine.data.kinds import propose_schema, set_role, set_target
from tabnet_engine.data.schema import FeatureSchema, Role, Task
from tabnet_engine.data.splits import Splits, make_splits
from tabnet_engine.data.synthetic_selection import (
    SELECTION_CEILING,
    SELECTION_TARGET,
    SELECTION_TASKS,
    selection_table,
)
from tabnet_engine.data.tables import ReadOptions, read_table
from tabnet_engine.data.targets import TargetCodec
from tabnet_engine.errors import EngineError
from tabnet_engine.training.metrics import evaluate

DATA = Path(os.environ.get("TABNET_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
TEST_FRACTION, VALIDATION_FRACTION = 0.2, 0.1
SYN_TEST_ROWS, SYN_TEST_SEED = 50_000, 1_000_000
SCORE_OF = {Task.BINARY: "auc", Task.MULTICLASS: "accuracy", Task.REGRESSION: "rmse"}
# Arik & Pfister 2021, table 1: test AUC on 10,000 rows.
PUBLISHED = {"syn1": 0.682, "syn2": 0.892, "syn3": 0.897, "syn4": 0.776, "syn5": 0.789, "syn6": 0.878}
# The hyper-parameters it gives for them: 4,000 iterations of 3,000 rows, rate times 0.7 every 200 of them.
SYN_SETTINGS = {
    "preset": "paper",
    "n_d": 16,
    "n_a": 16,
    "batch_size": 3000,
    "virtual_batch_size": 100,
    "momentum": 0.3,
    "learning_rate": 0.02,
    "max_epochs": 1333,
    "decay_rate": 0.7 ** (3 / 200),
}
_SIMPLE = {**SYN_SETTINGS, "sparsity_lambda": 0.01, "n_steps": 4, "gamma": 2.0}
_SWITCHING = {**SYN_SETTINGS, "sparsity_lambda": 0.005, "n_steps": 5, "gamma": 1.5}
PUBLISHED_SETTINGS = {
    "syn1": {**_SIMPLE, "sparsity_lambda": 0.02},
    "syn2": _SIMPLE,
    "syn3": _SIMPLE,
    "syn4": _SWITCHING,
    "syn5": _SWITCHING,
    "syn6": _SWITCHING,
}
Scores = dict[str, float | None]


@dataclass(frozen=True)
class Known:
    """A table on disk: its file, how its target is called, and what must not be learned from."""

    path: str
    target: str
    header: str = "first"
    ignored: tuple[str, ...] = ()
    test_path: str | None = None


TABLES = {
    "adult": Known("adult/adult.data", "14", "none", test_path="adult/adult.test"),
    "credit": Known("credit_default/UCI_Credit_Card.csv", "default.payment.next.month"),
    "housing": Known("california_housing/housing.csv", "median_house_value"),
    "poker": Known("poker/poker-hand-training-true.data", "10", "none"),
    "covertype": Known("covertype/covtype_92962.data.xz", "54", "none"),
    "german": Known("german_credit/german.data", "20", "none"),
    "bike": Known("bike_sharing/hour.csv", "cnt", ignored=("instant", "casual", "registered")),
    "energy": Known("energy_xlsx/ENB2012.xlsx", "Y1", ignored=("Y2",)),
}


@dataclass(frozen=True, eq=False)
class Problem:
    """Rows to learn from (the seed sets some of them apart to choose the epoch), and rows to test on."""

    frame: pd.DataFrame
    test_frame: pd.DataFrame
    schema: FeatureSchema
    seed: int

    @property
    def task(self) -> Task:
        """What is predicted."""
        return self.schema.task or Task.REGRESSION

    @cached_property
    def splits(self) -> Splits:
        """Training and validation rows, dealt as a training with this seed deals them."""
        return _deal(self.frame, self.schema, self.seed, test_fraction=0.0)

    @cached_property
    def codec(self) -> TargetCodec:
        """The target as the training rows show it."""
        return TargetCodec.fit(self.frame, self.schema, self.splits.train)

    @cached_property
    def encoded(self) -> dict[str, tuple[pd.DataFrame, npt.NDArray[Any]]]:
        """Features and target of the three parts, for the peers: numbers with NaN where missing, category codes."""
        encoder = TableEncoder.fit(self.frame, self.schema, rows=self.splits.train)
        parts = {
            "train": (self.frame, self.splits.train),
            "validation": (self.frame, self.splits.validation),
            "test": (_aligned(self.test_frame, self.codec), np.arange(len(self.test_frame))),
        }
        return {
            name: (_features(encoder, frame.iloc[rows]), self.codec.encode(frame, rows=rows))
            for name, (frame, rows) in parts.items()
        }

    @property
    def categories(self) -> list[str]:
        """The names of the category codes among the encoded features."""
        return [str(name) for name in self.encoded["train"][0] if str(name).startswith("c")]


def _aligned(frame: pd.DataFrame, codec: TargetCodec) -> pd.DataFrame:
    if codec.task is Task.REGRESSION:
        return frame
    return frame.assign(**{codec.name: align_labels(frame[codec.name], codec.classes)[0]})


def _features(encoder: TableEncoder, frame: pd.DataFrame) -> pd.DataFrame:
    table = encoder.transform(frame)
    columns = {f"n{slot}": table.numeric[:, slot] for slot in range(table.numeric.shape[1])}
    columns |= {f"c{slot}": table.categorical[:, slot] for slot in range(table.categorical.shape[1])}
    return pd.DataFrame(columns)


def _deal(frame: pd.DataFrame, schema: FeatureSchema, seed: int, *, test_fraction: float) -> Splits:
    y = TargetCodec.fit(frame, schema, np.arange(len(frame))).encode(frame)
    task = schema.task or Task.REGRESSION
    return make_splits(y, task, validation_fraction=VALIDATION_FRACTION, test_fraction=test_fraction, seed=seed)


def load_problem(name: str, seed: int) -> Problem:
    """One table, its rows dealt by the seed."""
    if name in SELECTION_TASKS:
        frame, _ = selection_table(name, seed=seed)
        test_frame, _ = selection_table(name, n_rows=SYN_TEST_ROWS, seed=SYN_TEST_SEED + seed)
        schema = set_target(propose_schema(frame), frame, SELECTION_TARGET)
        return Problem(frame, test_frame, schema, seed)
    known = TABLES[name]
    frame = _read(known.path, known.header)
    schema = set_target(propose_schema(frame), frame, known.target)
    for column in known.ignored:
        schema = set_role(schema, column, Role.IGNORED)
    if known.test_path is not None:
        return Problem(frame, _read(known.test_path, known.header), schema, seed)
    # Dealt apart by a seed of their own: the next deal, of the validation rows, must not repeat this order.
    parts = _deal(frame, schema, 10_000 + seed, test_fraction=TEST_FRACTION)
    learned = np.sort(np.concatenate([parts.train, parts.validation]))
    return Problem(
        frame.iloc[learned].reset_index(drop=True), frame.iloc[parts.test].reset_index(drop=True), schema, seed
    )


def _read(path: str, header: str) -> pd.DataFrame:
    return read_table(DATA / path, ReadOptions(header=header)).frame


def tabnet(problem: Problem, settings: dict[str, Any]) -> tuple[Scores, dict[str, Any]]:
    """This project with a preset: test scores, and the settings that it came to."""
    from tabnet_engine.training.experiment import train_model

    model_config, training_config, _ = choose_settings(
        {**settings, "seed": problem.seed, "device": "cpu", "validation_fraction": VALIDATION_FRACTION},
        n_rows=len(problem.frame),
        n_features=len(problem.schema.features),
        n_categorical=problem.schema.n_categorical,
    )
    model = train_model(problem.frame, problem.schema, model_config, training_config, test_frame=problem.test_frame)
    return model.metrics["test"], {"model": model_config.to_mapping(), "training": training_config.to_mapping()}


def lightgbm(problem: Problem) -> tuple[Scores, dict[str, Any]]:
    """Gradient boosting on the same rows: test scores, and its settings."""
    import lightgbm as lgb

    settings = {"n_estimators": 400, "learning_rate": 0.05, "n_jobs": 1, "verbose": -1, "random_state": problem.seed}
    x, y = problem.encoded["train"]
    x_test, y_test = problem.encoded["test"]
    if problem.task is Task.REGRESSION:
        fitted = lgb.LGBMRegressor(**settings).fit(x, y, categorical_feature=problem.categories)
        logits = fitted.predict(x_test)
    else:
        fitted = lgb.LGBMClassifier(**settings).fit(x, y, categorical_feature=problem.categories)
        logits = fitted.predict(x_test, raw_score=True)
    return evaluate(problem.task, y_test, logits.reshape(len(y_test), -1), problem.codec.classes), settings


def pytorch_tabnet(problem: Problem, epochs: int) -> tuple[Scores, dict[str, Any]]:
    """pytorch-tabnet on the same rows: test scores, and its settings.

    It knows no missing number (the mean stands in) and needs a regression target near 0 and 1.
    """
    from pytorch_tabnet.tab_model import TabNetClassifier, TabNetRegressor

    parts = {name: (x.fillna(0.0).to_numpy(np.float32), y) for name, (x, y) in problem.encoded.items()}
    names = list(problem.encoded["train"][0])
    sizes = {name: int(max(x[name].max() for x, _ in problem.encoded.values())) + 1 for name in problem.categories}
    settings = {"n_d": 16, "n_a": 16, "n_steps": 3, "seed": problem.seed, "verbose": 0, "device_name": "cpu"}
    fitting = {"max_epochs": epochs, "patience": epochs, "batch_size": 1024, "virtual_batch_size": 128}
    columns = {"cat_idxs": [names.index(name) for name in sizes], "cat_dims": list(sizes.values())}
    is_regression = problem.task is Task.REGRESSION
    peer = (TabNetRegressor if is_regression else TabNetClassifier)(**settings, **columns)
    if is_regression:
        mean, scale = problem.codec.mean, problem.codec.scale
        parts = {name: (x, ((y - mean) / scale).reshape(-1, 1)) for name, (x, y) in parts.items()}
    # Rare classes may lack validation rows, which its own AUC does not forgive.
    metric = "rmse" if is_regression else "logloss" if problem.task is Task.BINARY else "accuracy"
    peer.fit(*parts["train"], eval_set=[parts["validation"]], eval_metric=[metric], drop_last=False, **fitting)
    x_test, y_test = parts["test"][0], problem.encoded["test"][1]
    logits = mean + scale * peer.predict(x_test) if is_regression else _log_odds(peer.predict_proba(x_test))
    return evaluate(problem.task, y_test, logits, problem.codec.classes), {**settings, **fitting}


def _log_odds(probabilities: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Logits (B, 1) of two classes, (B, K) of more, that give these probabilities (B, K)."""
    logarithms = np.log(np.maximum(probabilities.astype(np.float64), 1e-15))
    return logarithms[:, 1:] - logarithms[:, :1] if logarithms.shape[1] == 2 else logarithms


def model_runs(epochs: int, table: str) -> dict[str, Callable[[Problem], tuple[Scores, dict[str, Any]]]]:
    """What can be compared, by name; ``paper-settings`` are those that the paper gives for Syn1 to Syn6."""
    published = PUBLISHED_SETTINGS.get(table, {"preset": "paper", "max_epochs": epochs})
    return {
        "best": lambda problem: tabnet(problem, {}),
        "paper": lambda problem: tabnet(problem, {"preset": "paper", "max_epochs": epochs}),
        "paper-settings": lambda problem: tabnet(problem, published),
        "pytorch-tabnet": lambda problem: pytorch_tabnet(problem, epochs),
        "lightgbm": lightgbm,
    }


def measure(table: str, model: str, seed: int, epochs: int) -> dict[str, Any]:
    """One fit as a record of plain values."""
    problem = load_problem(table, seed)
    if model not in {"best", "paper", "paper-settings"}:
        _ = problem.encoded  # reading and encoding is not the peer's time
    started = time.process_time()
    scores, settings = model_runs(epochs, table)[model](problem)
    return {
        "table": table,
        "model": model,
        "seed": seed,
        "score": SCORE_OF[problem.task],
        "value": scores[SCORE_OF[problem.task]],
        "scores": scores,
        "cpu_seconds": round(time.process_time() - started, 1),
        "rows": len(problem.frame),
        "test_rows": len(problem.test_frame),
        "features": len(problem.schema.features),
        "settings": settings,
        "versions": {name: _version(name) for name in ("torch", "lightgbm", "pytorch-tabnet")},
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def read_records(path: Path | None) -> list[dict[str, Any]]:
    """The fits of an earlier call; none where there is no file."""
    if path is None or not path.exists():
        return []
    records: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return records


def write_records(path: Path | None, records: list[dict[str, Any]]) -> None:
    """Replace the file at once, so that a reader never sees half of it."""
    if path is not None:
        temporary = path.with_name(f".{path.name}.new")
        temporary.write_text(json.dumps(records, indent=1), encoding="utf-8")
        temporary.replace(path)


def table_of(records: Iterable[dict[str, Any]], models: list[str]) -> str:
    """Markdown: a row for each table, mean ± standard deviation over the seeds, and CPU seconds of one fit."""
    kept = list(records)
    lines = [f"| table | score | {' | '.join(models)} | published |", f"|---|---|{'---|' * (len(models) + 1)}"]
    for name in (*TABLES, *SELECTION_TASKS):
        rows = [record for record in kept if record["table"] == name]
        if rows:
            cells = [_cell([record for record in rows if record["model"] == model]) for model in models]
            lines.append(f"| {name} | {rows[0]['score']} | {' | '.join(cells)} | {_published(name)} |")
    return "\n".join(lines)


def _cell(records: list[dict[str, Any]]) -> str:
    if not records:
        return ""
    values = [record["value"] for record in records]
    seconds = statistics.mean(record["cpu_seconds"] for record in records)
    spread = f" ± {_digits(statistics.stdev(values), values[0])}" if len(values) > 1 else ""
    seeds = f"{len(values)} seed{'s' if len(values) > 1 else ''}"
    return f"{_digits(statistics.mean(values), values[0])}{spread} ({seeds}, {seconds:.0f} s)"


def _digits(value: float, like: float) -> str:
    return f"{value:,.0f}" if abs(like) >= 1_000 else f"{value:.2f}" if abs(like) >= 1 else f"{value:.4f}"


def _published(name: str) -> str:
    return f"{PUBLISHED[name]} (ceiling {SELECTION_CEILING[name]})" if name in PUBLISHED else ""


def main() -> None:
    """Fit what is not there yet, then print."""
    arguments = _arguments()
    records = read_records(arguments.out)
    if not arguments.show:
        done = {(record["table"], record["model"], record["seed"]) for record in records}
        wanted = [(t, m, s) for s in arguments.seeds for t in arguments.tables for m in arguments.models]
        for job in (job for job in wanted if job not in done):
            try:
                record = measure(*job, arguments.epochs)
            except (EngineError, ImportError, RuntimeError, ValueError) as error:
                print(*job, f"failed: {error}", file=sys.stderr, flush=True)
                continue
            # Read again: another call may be adding other tables to the same file.
            records = [*(read_records(arguments.out) if arguments.out else records), record]
            write_records(arguments.out, records)
            print(*job, record["score"], record["value"], f"{record['cpu_seconds']} s", file=sys.stderr, flush=True)
    print(table_of((r for r in records if r["seed"] in arguments.seeds), arguments.models))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=_names((*TABLES, *SELECTION_TASKS)), default=[*TABLES, *SELECTION_TASKS])
    parser.add_argument(
        "--models", type=_names(model_runs(1, "")), default=["best", "paper", "pytorch-tabnet", "lightgbm"]
    )
    parser.add_argument("--seeds", type=lambda text: [int(seed) for seed in text.split(",")], default=[0, 1, 2])
    parser.add_argument("--epochs", type=int, default=30, help="epochs of pytorch-tabnet and of the preset paper")
    parser.add_argument("--out", type=Path, help="JSON file of all fits so far")
    parser.add_argument("--show", action="store_true", help="only print what the file holds")
    return parser.parse_args()


def _names(known: Iterable[str]) -> Callable[[str], list[str]]:
    names = list(known)

    def parse(text: str) -> list[str]:
        chosen = text.split(",")
        unknown = [name for name in chosen if name not in names]
        if unknown:
            raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: choose from {', '.join(names)}")
        return chosen

    return parse


if __name__ == "__main__":
    warnings.filterwarnings("ignore")  # the peers' own; they do not concern the scores
    main()
