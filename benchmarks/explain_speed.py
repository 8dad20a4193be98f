"""How fast masks and Shapley values are, beside pytorch-tabnet's ``explain`` and shap's PermutationExplainer.

One thread, one process, the two sides in turns; seconds are CPU seconds, which a busy machine changes little.
Shapes: B rows, M background rows, F columns, R orders of the columns.
"""

from __future__ import annotations

import itertools
import multiprocessing
import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import numpy.typing as npt
import pandas as pd
from explain_tables import Known, Scale

from tabnet_engine.config import ModelConfig
from tabnet_engine.data.encoding import EncodedTable, TableEncoder
from tabnet_engine.data.kinds import propose_schema, set_target
from tabnet_engine.data.synthetic import TARGET, credit_applications
from tabnet_engine.explain.masks import iterate_masks
from tabnet_engine.explain.signed.sampling import sampled_shapley
from tabnet_engine.explain.subject import ChosenRows, Subject

Floats = npt.NDArray[np.float64]

SHAPE = {"n_d": 8, "n_a": 8, "n_steps": 3}  # the peer's own defaults
PEER_BATCHES = (1_024, 8_192)
N_ORDERS = 10  # what a user gets who names no budget, here and for shap
MASKS_AT_ONCE = 100  # shap evaluates 10 masks at a time unless told; more are faster


def masks_speed(scale: Scale) -> dict[str, Any]:
    """Masks and aggregates of a table of credit applications, rows per second, ours and the peer's.

    The peer runs with its own batches of 1,024 rows and with 8,192; the faster one counts.
    """
    encoder, encoded = _credit_table(scale.n_speed_rows)
    ours = {
        name: _subject(encoder, ModelConfig(**SHAPE, **changes))
        for name, changes in (("default", {}), ("plain numbers", {"numeric_embedding": "none"}))
    }
    sides: dict[str, Callable[[], None]] = {
        name: lambda subject=subject: _explain_masks(subject, encoded) for name, subject in ours.items()
    }
    peer, x = _peer(encoder, encoded)
    if peer is not None:
        sides |= {
            f"pytorch-tabnet, batches of {size:,}": lambda n=size: _explain_peer(peer, x, n) for size in (1_024, 8_192)
        }
    seconds = _in_turns(sides, scale.rounds)
    rates = {name: len(encoded) / statistics.median(times) for name, times in seconds.items()}
    best = max((rate for name, rate in rates.items() if name.startswith("pytorch")), default=None)
    return {
        "rows": len(encoded),
        "columns": len(encoder.schema.features),
        "rows_per_second": rates,
        "ratio": None if best is None else {name: rates[name] / best for name in ours},
        "ratio_low_high": None if best is None else _ratio_range(seconds, list(ours)),
    }


def _ratio_range(seconds: dict[str, list[float]], ours: list[str]) -> dict[str, tuple[float, float]]:
    """The least and the largest ratio among the rounds, each round against its own best peer."""
    peers = [times for name, times in seconds.items() if name.startswith("pytorch")]
    best = [min(round_) for round_ in zip(*peers, strict=True)]
    ratios = {name: [peer / own for peer, own in zip(best, seconds[name], strict=True)] for name in ours}
    return {name: (min(values), max(values)) for name, values in ratios.items()}


def _in_turns(sides: dict[str, Callable[[], None]], rounds: int) -> dict[str, list[float]]:
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for round_ in range(rounds + 1):
        for name, run in sides.items():
            started = time.process_time()
            run()
            if round_:  # the first round warms up
                seconds[name].append(time.process_time() - started)
    return seconds


def _credit_table(n_rows: int) -> tuple[TableEncoder, EncodedTable]:
    frame, _ = credit_applications(n_rows=n_rows, seed=1)
    schema = set_target(propose_schema(frame), frame, TARGET)
    encoder = TableEncoder.fit(frame, schema)
    return encoder, encoder.transform(frame)


def _subject(encoder: TableEncoder, config: ModelConfig) -> Subject:
    import torch

    from tabnet_engine.model.tabnet import TabNet

    torch.manual_seed(0)
    return Subject(TabNet(encoder.layout, 1, config).eval(), encoder.layout, ("declined",))


def _explain_masks(subject: Subject, encoded: EncodedTable) -> None:
    chosen = ChosenRows(encoded, np.arange(len(encoded), dtype=np.int64))
    for part in iterate_masks(subject, chosen):
        _ = part.aggregate


def _peer(encoder: TableEncoder, encoded: EncodedTable) -> tuple[Any, npt.NDArray[np.float32]]:
    """pytorch-tabnet of the same shape on the same columns; None where it is not installed. It is hardly trained."""
    categories = encoded.categorical.astype(np.float32)
    x = np.concatenate([np.nan_to_num(encoded.numeric), categories], axis=1)
    try:
        from pytorch_tabnet.tab_model import TabNetClassifier
    except ImportError:
        return None, x
    n_numbers = encoded.numeric.shape[1]
    peer = TabNetClassifier(
        **SHAPE,
        cat_idxs=list(range(n_numbers, x.shape[1])),
        cat_dims=list(encoder.layout.categorical_sizes),
        cat_emb_dim=1,
        verbose=0,
        device_name="cpu",
        seed=0,
    )
    few = min(len(x), 2_048)
    peer.fit(x[:few], np.arange(few) % 2, max_epochs=1, batch_size=1_024, virtual_batch_size=128)
    return peer, x


def _explain_peer(peer: Any, x: npt.NDArray[np.float32], batch_size: int) -> None:
    peer.batch_size = batch_size
    peer.explain(x, normalize=False)


def memory_of_masks(n_rows: int) -> dict[str, Any]:
    """The most memory that masks and aggregates of so many rows take beyond the model, the table included."""
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=_measure_memory, args=(n_rows, queue))
    process.start()
    result: dict[str, Any] = queue.get()
    process.join()
    return result


def _measure_memory(n_rows: int, queue: Any) -> None:
    import torch

    torch.set_num_threads(1)
    encoder, few = _credit_table(1_000)
    subject = _subject(encoder, ModelConfig(**SHAPE))
    _explain_masks(subject, few.take(np.arange(10)))  # everything is loaded and has run once
    before = _resident()
    repeated = few.take(np.arange(n_rows) % len(few))
    table = _resident()
    started = time.process_time()
    _explain_masks(subject, repeated)
    seconds = time.process_time() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1_024
    queue.put(
        {
            "rows": n_rows,
            "model_mib": before / 2**20,
            "table_mib": (table - before) / 2**20,
            "peak_beyond_model_mib": (peak - before) / 2**20,
            "rows_per_second": n_rows / seconds,
        }
    )


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize()


def shapley_speed(known: Known, scale: Scale, *, n_rows: int, with_truth: bool) -> dict[str, Any]:
    """Seconds a row of ``N_ORDERS`` antithetic orders, ours and shap's, and the error of both.

    The standard error is measured alike on both sides, as the spread of the values over seeds; the ratio "at equal
    standard error" multiplies that of the seconds by that of the squared errors, since orders are drawn
    independently. Shap calls the network in single precision, 100 masks at a time.
    """
    chosen = ChosenRows(known.chosen.table.take(np.arange(n_rows)), np.arange(n_rows, dtype=np.int64))
    n_columns = known.subject.layout.n_features
    n_evaluations = N_ORDERS * (2 * n_columns + 1)
    values: dict[str, list[Floats]] = {"ours": [], "shap": []}
    seconds: dict[str, list[float]] = {"ours": [], "shap": []}
    peer = _PeerShap(known, chosen)
    peer.explain(1, 0)  # imports and compiles
    for seed in range(max(2, scale.rounds)):
        for name, kept in values.items():
            started = time.process_time()
            if name == "ours":
                found = sampled_shapley(
                    known.subject, chosen, known.background, n_evaluations=n_evaluations, seed=seed, device="cpu"
                ).values[:, :, 0]
            else:
                found = peer.explain(n_evaluations, seed)
            seconds[name].append((time.process_time() - started) / n_rows)
            kept.append(found)
    errors = {name: _spread(found) for name, found in values.items()}
    times = {name: statistics.median(found) for name, found in seconds.items()}
    result: dict[str, Any] = {
        "table": known.name,
        "columns": n_columns,
        "rows": n_rows,
        "background": known.background.background.n_rows,
        "orders": N_ORDERS,
        "seconds_per_row": times,
        "standard_error": errors,
        "ratio_same_orders": times["shap"] / times["ours"],
        "ratio_equal_standard_error": times["shap"] / times["ours"] * (errors["shap"] / errors["ours"]) ** 2,
    }
    if with_truth:
        result |= _against_brute_force(known, chosen, values)
    return result


def _spread(found: list[Floats]) -> float:
    """The standard deviation of one value over the seeds, root mean square over rows and columns."""
    return float(np.sqrt(np.var(found, axis=0, ddof=1).mean()))


def _against_brute_force(known: Known, chosen: ChosenRows, values: dict[str, list[Floats]]) -> dict[str, Any]:
    from tabnet_engine.explain.signed.exact import exact_shapley

    started = time.process_time()
    exact = exact_shapley(known.subject, chosen, known.background, device="cpu").values[:, :, 0]
    seconds = (time.process_time() - started) / len(chosen)
    truth = np.stack([brute_force(known, chosen.table.take([row])) for row in range(len(chosen))])
    size = float(np.abs(truth).mean())
    return {
        "exact_seconds_per_row": seconds,
        "exact_largest_error": float(np.abs(exact - truth).max()),
        "relative_error": {
            name: float(np.mean([np.abs(one - truth).mean() for one in found]) / size) for name, found in values.items()
        },
    }


def brute_force(known: Known, row: EncodedTable) -> Floats:
    """Shapley values (F,) of one row by their definition, from all 2^F mean logits, sharing no code with the engine."""
    n, background = known.subject.layout.n_features, known.background.encoded
    coalitions = np.array(list(itertools.product([False, True], repeat=n)))
    numeric_owner = np.array(known.subject.layout.numeric_feature)
    worth = np.empty(len(coalitions))
    for start in range(0, len(coalitions), 128):
        part = np.repeat(coalitions[start : start + 128], len(background), axis=0)
        base = np.tile(background.numeric, (len(part) // len(background), 1))
        mixed = np.where(part[:, numeric_owner], row.numeric, base)
        table = EncodedTable(mixed, np.zeros((len(mixed), 0), dtype=np.int64))
        logits = known.subject.logits(table)[:, 0]
        worth[start : start + 128] = logits.reshape(-1, len(background)).mean(axis=1)
    sizes = coalitions.sum(axis=1)
    factorials = np.cumprod([1.0, *range(1, n + 1)])
    weights = factorials[sizes[:, None] - coalitions] * factorials[n - sizes[:, None] - 1 + coalitions] / factorials[n]
    signs = np.where(coalitions, 1.0, -1.0)
    values: Floats = (signs * weights * worth[:, None]).sum(axis=0)
    return values


class _PeerShap:
    """shap.PermutationExplainer on the same network and background; all columns must be numbers."""

    def __init__(self, known: Known, chosen: ChosenRows) -> None:
        import copy

        import shap

        if known.subject.layout.categorical_feature:
            raise ValueError("the peer is given numbers only")
        self._network = copy.deepcopy(known.subject.network).float().eval()
        self._rows = pd.DataFrame(chosen.table.numeric).to_numpy()
        self._shap = shap
        self._background = known.background.encoded.numeric

    def explain(self, n_evaluations: int, seed: int) -> Floats:
        """Values (B, F)."""
        width = self._rows.shape[1]
        masker = self._shap.maskers.Independent(self._background, max_samples=len(self._background))
        explainer = self._shap.PermutationExplainer(self._predict, masker, seed=seed)
        found = explainer(
            self._rows, max_evals=max(n_evaluations, 2 * width + 1), batch_size=MASKS_AT_ONCE, silent=True
        )
        return np.asarray(found.values, dtype=np.float64).reshape(len(self._rows), width)

    def _predict(self, x: npt.NDArray[np.float32]) -> Floats:
        import torch

        with torch.inference_mode():
            numbers = torch.from_numpy(np.ascontiguousarray(x, dtype=np.float32))
            logits = self._network(numbers, torch.zeros(len(x), 0, dtype=torch.int64)).logits
        return np.asarray(logits[:, 0].double().numpy())
