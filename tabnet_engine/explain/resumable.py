"""Signed values chunk by chunk: in bounded memory, and going on where an earlier attempt stopped.

Shapes: B rows, P players, K outputs. Finished chunks are kept in a folder beside a description of the request. The
same request goes on after the last chunk and gives the same bits, since a row's values depend on the request and its
number alone and chunks are cut in the same places; another request starts anew.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from tabnet_engine import __version__
from tabnet_engine.data.encoding import EncodedTable
from tabnet_engine.explain.attribution import Attribution
from tabnet_engine.explain.attribution_store import read_attribution, write_attribution
from tabnet_engine.explain.background import BackgroundSample
from tabnet_engine.explain.signed.methods import SignedMethod, explain_rows
from tabnet_engine.explain.subject import ChosenRows, Steering, Subject
from tabnet_engine.runs.parts import storage_errors, write_whole

__all__ = ["Checkpoint", "chunk_rows", "explain_in_chunks", "request_identity"]

# A chunk is what a killed process loses at most: few rows, but not so few that a long table makes a million files.
_LEAST_ROWS, _MOST_ROWS, _CHUNKS = 32, 4_096, 64
_MOST_VALUES = 1_000_000
_IDENTITY = "request.json"


@dataclass(frozen=True)
class Checkpoint:
    """Finished chunks of one request, in a folder of their own.

    ``said`` is told once, as a sentence, when chunks of an earlier attempt are there.
    """

    folder: Path
    said: Callable[[str], None] = lambda _: None

    def open(self, identity: dict[str, Any]) -> None:
        """Keep the chunks of the same request, throw away those of another.

        Raises:
            StorageError: the disk refuses.
        """
        path, wanted = self.folder / _IDENTITY, json.dumps(identity, sort_keys=True)
        with storage_errors(f"keep what is explained in {self.folder}"):
            if path.is_file() and path.read_text(encoding="utf-8") == wanted:
                return
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir(parents=True)
            write_whole(path, lambda temporary: _write_text(temporary, wanted))

    def kept(self, index: int) -> Attribution | None:
        """A finished chunk; None when it is not there, or cannot be read and must be made again."""
        path = self._path(index)
        if not path.is_file():
            return None
        try:
            return read_attribution(path)
        except (ValueError, KeyError, TypeError, OSError, pa.ArrowException):
            return None

    def keep(self, index: int, part: Attribution) -> None:
        """Keep a chunk, whole or not at all.

        Raises:
            StorageError: the disk refuses.
        """
        with storage_errors(f"keep what is explained in {self.folder}"):
            write_whole(self._path(index), lambda temporary: write_attribution(temporary, part))

    @property
    def n_kept(self) -> int:
        """How many chunks are there."""
        return len(list(self.folder.glob("chunk-*.parquet")))

    def _path(self, index: int) -> Path:
        return self.folder / f"chunk-{index:06d}.parquet"


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def chunk_rows(n_rows: int, n_values: int) -> int:
    """Rows of one chunk, for B rows of ``n_values`` = P * K values each."""
    wanted = min(max(_LEAST_ROWS, -(-n_rows // _CHUNKS)), _MOST_ROWS)
    return max(1, min(wanted, _MOST_VALUES // max(1, n_values)))


def explain_in_chunks(
    subject: Subject,
    chosen: ChosenRows,
    background: BackgroundSample,
    method: SignedMethod,
    *,
    checkpoint: Checkpoint | None = None,
    weights: str = "",
    steering: Steering | None = None,
) -> Iterator[Attribution]:
    """Explain rows chunk by chunk; each finished chunk is kept where there is a checkpoint.

    Args:
        subject: the network.
        chosen: the rows (B).
        background: what replaces unknown columns.
        method: which method with which budget.
        checkpoint: where to keep chunks, and find those of an earlier attempt.
        weights: SHA-256 of the network's weights, which tells requests apart.
        steering: told the rows done of all; may cancel between rows.

    Yields:
        Attributions of consecutive rows.

    Raises:
        ExplanationError: a budget that cannot be met, or values that fail their own check.
        JobCancelledError: the steering asked to stop; finished chunks stay.
        StorageError: the checkpoint's disk refuses.
    """
    steering = steering or Steering()
    size = chunk_rows(len(chosen), subject.layout.n_features * len(subject.outputs))
    if checkpoint is not None:
        checkpoint.open(request_identity(subject, chosen, background, method, weights))
        if checkpoint.n_kept:
            checkpoint.said(
                f"{method.facts.name}: going on after {min(len(chosen), checkpoint.n_kept * size):,} of "
                f"{len(chosen):,} rows that an earlier attempt explained"
            )
    steering.step(0, len(chosen))
    for index, start in enumerate(range(0, max(1, len(chosen)), size)):
        stop = min(start + size, len(chosen))
        part = None if checkpoint is None else checkpoint.kept(index)
        if part is None or not np.array_equal(part.rows, chosen.rows[start:stop]):
            part = explain_rows(
                subject, _between(chosen, start, stop), background, method, steering=_part_of(steering, start, chosen)
            )
            if checkpoint is not None:
                checkpoint.keep(index, part)
        steering.step(stop, len(chosen))
        # Chunks give the background of the request, read back or not: equal, but one object less per chunk.
        yield dataclasses.replace(part, background=background.background)


def request_identity(
    subject: Subject, chosen: ChosenRows, background: BackgroundSample, method: SignedMethod, weights: str
) -> dict[str, Any]:
    """Everything that decides the values of a request, as plain JSON values."""
    return {
        "version": __version__,
        "weights": weights,
        "run_id": subject.run_id,
        "method": {**dataclasses.asdict(method), "groups": {k: list(v) for k, v in method.groups.items()}},
        "rows": _digest(chosen.table, chosen.rows.tobytes(), chosen.selection.encode()),
        "background": _digest(background.encoded, json.dumps(background.background.to_mapping()).encode()),
    }


def _digest(table: EncodedTable, *more: bytes) -> str:
    digest = hashlib.sha256()
    for content in (np.ascontiguousarray(table.numeric), np.ascontiguousarray(table.categorical)):
        digest.update(str((content.shape, content.dtype)).encode())
        digest.update(content.tobytes())
    for item in more:
        digest.update(str(len(item)).encode())
        digest.update(item)
    return digest.hexdigest()


def _between(chosen: ChosenRows, start: int, stop: int) -> ChosenRows:
    places = np.arange(start, stop)
    return ChosenRows(chosen.table.take(places), chosen.rows[places], chosen.selection)


def _part_of(steering: Steering, start: int, chosen: ChosenRows) -> Steering:
    """Progress of a chunk as progress of all rows."""
    return Steering(lambda done, _: steering.progress(start + done, len(chosen)), steering.should_cancel)
