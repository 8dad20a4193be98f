"""Explaining in chunks: the same bits as in one piece, going on after an interruption, never from another request."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tabnet_engine.errors import ExplanationError, JobCancelledError, StorageError
from tabnet_engine.explain import resumable
from tabnet_engine.explain.background import BackgroundSample
from tabnet_engine.explain.resumable import Checkpoint, chunk_rows, explain_in_chunks
from tabnet_engine.explain.signed.methods import SignedMethod, explain_rows
from tabnet_engine.explain.subject import ChosenRows, Steering, Subject

METHOD = SignedMethod(name="sampling", n_evaluations=27, seed=5)


@pytest.fixture
def request_(run, frame, cases, monkeypatch):
    """Subject, twelve rows and a background; chunks of four rows."""
    monkeypatch.setattr(resumable, "_LEAST_ROWS", 4)
    encoded = run.encoder.transform(frame)
    rows = ChosenRows.from_table(encoded, np.arange(10, 22), "twelve rows")
    return Subject.of_run(run), rows, BackgroundSample(cases.background(6), encoded.take(np.arange(6)))


def assert_same_bits(parts, whole):
    for name in ("values", "rows", "logits", "standard_error", "evaluations"):
        joined = np.concatenate([getattr(part, name) for part in parts])
        assert joined.tobytes() == getattr(whole, name).tobytes(), name


def count_explained(monkeypatch):
    explained: list[int] = []

    def counting(subject, chosen, *rest, **named):
        explained.extend(chosen.rows.tolist())
        return explain_rows(subject, chosen, *rest, **named)

    monkeypatch.setattr(resumable, "explain_rows", counting)
    return explained


@pytest.mark.parametrize("method", [METHOD, SignedMethod(), SignedMethod(name="ablation")])
def test_chunks_are_the_whole_bit_for_bit(request_, method):
    subject, rows, background = request_
    parts = list(explain_in_chunks(subject, rows, background, method))
    assert [part.n_rows for part in parts] == [4, 4, 4]
    whole = explain_rows(subject, rows, background, method)
    joined = np.concatenate([part.values for part in parts])
    assert joined.tobytes() == whole.values.tobytes()
    assert {part.selection for part in parts} == {"twelve rows"}


def test_an_interrupted_request_goes_on_after_its_last_chunk(request_, tmp_path, monkeypatch):
    subject, rows, background = request_
    whole = explain_rows(subject, rows, background, METHOD)
    explained, said = count_explained(monkeypatch), []
    checkpoint = Checkpoint(tmp_path / "kept", said.append)
    stop = Steering(should_cancel=lambda: len(explained) >= 8)
    with pytest.raises(JobCancelledError):
        list(explain_in_chunks(subject, rows, background, METHOD, checkpoint=checkpoint, steering=stop))
    assert (checkpoint.n_kept, said) == (1, []), "the second chunk was cancelled between its rows"
    explained.clear()
    seen: list[tuple[int, int]] = []
    steering = Steering(lambda done, total: seen.append((done, total)))
    parts = list(explain_in_chunks(subject, rows, background, METHOD, checkpoint=checkpoint, steering=steering))
    assert explained == list(range(14, 22))
    assert said == ["sampled Shapley: going on after 4 of 12 rows that an earlier attempt explained"]
    assert_same_bits(parts, whole)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert (seen[0], seen[-1]) == ((0, 12), (12, 12))


def other(subject, rows, background, what):
    """The request with one thing changed."""
    encoded = background.encoded
    changed = {
        "seed": {"method": dataclasses.replace(METHOD, seed=6)},
        "budget": {"method": dataclasses.replace(METHOD, n_evaluations=36)},
        "target": {"method": dataclasses.replace(METHOD, target_error=0.5)},
        "groups": {"method": dataclasses.replace(METHOD, groups={"both": ("age", "job")})},
        "weights": {"weights": "other"},
        "rows": {"rows": ChosenRows(rows.table, rows.rows + 1, rows.selection)},
        "cells": {"rows": ChosenRows(rows.table.take(np.arange(12)[::-1]), rows.rows, rows.selection)},
        "background": {"background": dataclasses.replace(background, encoded=encoded.take(np.arange(6)[::-1]))},
    }[what]
    return {"rows": rows, "background": background, "method": METHOD, "weights": "mine", **changed}


@pytest.mark.parametrize("what", ["seed", "budget", "target", "groups", "weights", "rows", "cells", "background"])
def test_another_request_starts_anew(request_, what, tmp_path, monkeypatch):
    subject, rows, background = request_
    checkpoint = Checkpoint(tmp_path / "kept")
    list(explain_in_chunks(subject, rows, background, METHOD, checkpoint=checkpoint, weights="mine"))
    explained = count_explained(monkeypatch)
    asked = other(subject, rows, background, what)
    list(
        explain_in_chunks(
            subject, asked["rows"], asked["background"], asked["method"], checkpoint=checkpoint,
            weights=asked["weights"],
        )
    )  # fmt: skip
    assert len(explained) == 12, "nothing of the first request was used"


def test_a_chunk_that_cannot_be_read_is_made_again(request_, tmp_path, monkeypatch):
    subject, rows, background = request_
    checkpoint = Checkpoint(tmp_path / "kept")
    first = list(explain_in_chunks(subject, rows, background, METHOD, checkpoint=checkpoint))
    path = tmp_path / "kept" / "chunk-000001.parquet"
    path.write_bytes(path.read_bytes()[:100])
    explained = count_explained(monkeypatch)
    again = list(explain_in_chunks(subject, rows, background, METHOD, checkpoint=checkpoint))
    assert explained == [14, 15, 16, 17]
    assert_same_bits(again, explain_rows(subject, rows, background, METHOD))
    assert again[1].background.to_mapping() == first[1].background.to_mapping()


def test_a_chunk_of_other_rows_is_made_again(request_, tmp_path, monkeypatch):
    subject, rows, background = request_
    checkpoint = Checkpoint(tmp_path / "kept")
    list(explain_in_chunks(subject, rows, background, METHOD, checkpoint=checkpoint))
    first, second = (tmp_path / "kept" / f"chunk-00000{index}.parquet" for index in (0, 1))
    second.write_bytes(first.read_bytes())
    explained = count_explained(monkeypatch)
    again = list(explain_in_chunks(subject, rows, background, METHOD, checkpoint=checkpoint))
    assert explained == [14, 15, 16, 17]
    assert_same_bits(again, explain_rows(subject, rows, background, METHOD))


def test_no_row_and_a_disk_that_refuses_are_said(request_, tmp_path):
    subject, rows, background = request_
    nothing = ChosenRows(rows.table.take(np.arange(0)), rows.rows[:0])
    with pytest.raises(ExplanationError, match="no row to explain"):
        list(explain_in_chunks(subject, nothing, background, METHOD))
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError, match="could not keep what is explained"):
        list(explain_in_chunks(subject, rows, background, METHOD, checkpoint=Checkpoint(tmp_path / "file" / "kept")))


@pytest.mark.parametrize(
    ("n_rows", "n_values", "expected"),
    [(1, 11, 32), (200, 11, 32), (64_000, 11, 1_000), (10_000_000, 11, 4_096), (100_000, 50_000, 20)],
)
def test_chunks_are_small_in_rows_and_in_memory(n_rows, n_values, expected):
    assert chunk_rows(n_rows, n_values) == expected
