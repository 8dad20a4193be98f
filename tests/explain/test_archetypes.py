"""Archetypes: planted ways of reading are found, every row has one, names are the user's to change."""

from __future__ import annotations

import dataclasses
import json
import shutil

import numpy as np
import pytest

from tabnet_engine.data.schema import Task
from tabnet_engine.errors import DamagedRunError, ExplanationError, StorageError, UserError
from tabnet_engine.explain.archetype_clusters import cluster_paths, step_paths
from tabnet_engine.explain.archetype_finding import describe_archetypes, find_archetypes, find_archetypes_of_rows
from tabnet_engine.explain.archetype_names import path_names
from tabnet_engine.explain.archetype_store import load_archetypes, rename_archetype, save_archetypes
from tabnet_engine.explain.archetypes import Archetypes, StepRead
from tabnet_engine.explain.masks import explain_masks
from tabnet_engine.explain.row_outcomes import RowOutcomes, row_outcomes
from tabnet_engine.explain.subject import ChosenRows, Subject


@pytest.fixture
def planted(cases):
    """Three ways of reading four columns in two steps, with a little noise; 60, 30 and 10 rows, two more silent."""
    generator = np.random.default_rng(1)
    ways = np.array([[[0.9, 0.1, 0, 0], [0, 0.9, 0.1, 0]], [[0, 0, 0.9, 0.1], [0, 0, 0.9, 0.1]],
                     [[0, 0, 0.1, 0.9], [0.9, 0.1, 0, 0]]])  # fmt: skip
    truth = np.repeat([0, 1, 2, 1], [60, 30, 10, 2])
    masks = ways[truth].transpose(1, 0, 2) + 0.02 * generator.random((2, len(truth), 4))
    sizes = np.ones((2, len(truth)), dtype=np.float32)
    sizes[:, -2:] = 0
    base = cases.masks(n_rows=len(truth), n_features=4)
    masks = (masks / masks.sum(axis=2, keepdims=True)).astype(np.float32)
    return dataclasses.replace(base, masks=masks, step_sizes=sizes), truth


def outcomes(rows, actual, predicted, split=2, task=Task.BINARY):
    n = len(rows)
    wrong = np.where(np.asarray(actual) == predicted, 0.1, 0.9)
    return RowOutcomes(
        task=task,
        classes=() if task is Task.REGRESSION else ("no", "yes"),
        rows=rows,
        split=np.broadcast_to(split, n).copy(),
        predicted=np.asarray(predicted, dtype=float),
        actual=np.asarray(actual, dtype=float),
        confidence=np.full(n, 0.9),
        error=np.where(np.asarray(actual) < 0, np.nan, wrong),
    )


def test_planted_ways_of_reading_are_found_named_and_counted(planted):
    explanation, truth = planted
    found = find_archetypes(explanation)
    assert [archetype.n_rows for archetype in found.archetypes] == [60, 30, 10, 2]
    for way in range(3):
        assert len(set(found.codes[:-2][truth[:-2] == way])) == 1
    assert found.names == ("reads f0, then f1", "reads f2", "reads f3, then f0", "no step active")
    assert found.archetypes[3].is_silent
    assert found.silhouette > 0.8
    assert "smallest number whose mean silhouette" in found.rule
    assert found.parts().sizes.tolist() == [60, 30, 10, 2]
    first = found.archetypes[0].path[0]
    assert first.share == pytest.approx(0.5)
    assert first.columns[0][1] == pytest.approx(0.9, abs=0.05)
    assert found.n_sample == 100


def test_the_medoid_is_the_row_nearest_to_all_others(planted):
    explanation, _ = planted
    found = find_archetypes(explanation)
    roots = np.sqrt(step_paths(explanation).astype(float))
    for place, archetype in enumerate(found.archetypes[:3]):
        members = np.flatnonzero(found.codes == place)
        squared = ((roots[members][:, None] - roots[members][None]) ** 2).sum(axis=(1, 2))
        best = members[squared.argmin()]
        assert archetype.medoid == explanation.rows[best]


def test_chunks_and_repetitions_give_the_same_archetypes(planted):
    explanation, _ = planted
    clusters = cluster_paths(explanation, seed=3)
    whole = describe_archetypes([explanation], clusters)
    parts = [explanation.take(np.arange(start, min(start + 13, 102))) for start in range(0, 102, 13)]
    again = describe_archetypes(parts, cluster_paths(explanation, seed=3))
    np.testing.assert_array_equal(whole.codes, again.codes)
    assert [a.medoid for a in whole.archetypes] == [a.medoid for a in again.archetypes]
    for one, other in zip(whole.archetypes, again.archetypes, strict=True):
        for a, b in zip(one.path, other.path, strict=True):
            assert [name for name, _ in a.columns] == [name for name, _ in b.columns]
            np.testing.assert_allclose([s for _, s in a.columns], [s for _, s in b.columns], atol=1e-6)


def test_what_a_step_without_weight_reads_does_not_divide_rows(planted):
    explanation, truth = planted
    masks = explanation.masks.copy()
    masks[0] = np.eye(4, dtype=np.float32)[np.random.default_rng(0).integers(0, 4, len(truth))]
    sizes = np.stack([np.full(len(truth), 1e-4), np.ones(len(truth))]).astype(np.float32)
    found = find_archetypes(dataclasses.replace(explanation, masks=masks, step_sizes=sizes))
    assert found.names == ("reads f1", "reads f2", "reads f0")
    assert [len(set(found.codes[truth == way])) for way in range(3)] == [1, 1, 1]


def test_a_path_is_shares_that_sum_to_one(planted):
    explanation, _ = planted
    paths = step_paths(explanation)
    np.testing.assert_allclose(paths.sum(axis=1), np.where(explanation.silent, 0, 1), atol=1e-5)
    by_step = paths.reshape(-1, explanation.n_steps, len(explanation.features))
    np.testing.assert_allclose(by_step.sum(axis=2), explanation.step_shares.T, atol=1e-5)
    np.testing.assert_allclose(by_step.sum(axis=1), explanation.aggregate, atol=1e-5)


def test_rows_that_all_read_alike_are_one_archetype(cases):
    explanation = cases.masks(n_rows=40, n_features=5)
    alike = dataclasses.replace(
        explanation, masks=np.repeat(explanation.masks[:, :1], 40, axis=1), step_sizes=np.ones((2, 40), np.float32)
    )
    found = find_archetypes(alike)
    assert [archetype.n_rows for archetype in found.archetypes] == [40]
    assert found.silhouette is None
    assert "about the same way" in found.note


def test_noise_is_not_taken_for_archetypes(cases):
    found = find_archetypes(cases.masks(n_rows=300, n_steps=3, n_features=12))
    assert len(found.archetypes) == 1
    assert "below 0.25" in found.rule


@pytest.mark.parametrize("n_rows", [1, 2, 3])
def test_few_rows_and_one_column_work(cases, n_rows):
    found = find_archetypes(cases.masks(n_rows=n_rows, n_features=1))
    assert sum(archetype.n_rows for archetype in found.archetypes) == n_rows


def test_only_silent_rows(cases):
    explanation = cases.masks(n_rows=4)
    silent = dataclasses.replace(explanation, step_sizes=np.zeros_like(explanation.step_sizes))
    found = find_archetypes(silent)
    assert found.names == ("no step active",)
    assert found.archetypes[0].path[0].share == 0


def test_the_number_wanted_is_kept_or_refused(planted, cases):
    explanation, _ = planted
    assert len(find_archetypes(explanation, n_archetypes=2).archetypes) == 3  # and the silent rows
    assert len(find_archetypes(explanation, n_archetypes=1).archetypes) == 2
    with pytest.raises(ExplanationError, match="from 1 to 12, got 13"):
        find_archetypes(explanation, n_archetypes=13)
    with pytest.raises(ExplanationError, match="in 2 different ways only"):
        find_archetypes(cases.masks(n_rows=2), n_archetypes=3)
    with pytest.raises(ExplanationError, match="no explained row"):
        find_archetypes(explanation.take(np.array([], dtype=np.int64)))


def test_rates_are_those_of_the_rows_and_errors_of_rows_not_learned_from(planted):
    explanation, truth = planted
    actual = np.where(truth == 0, 1, 0)
    actual[:6] = 0
    actual[6] = -1
    predicted = np.where(truth == 0, 1, 0)
    split = np.where(np.arange(102) < 30, 0, 2)  # the first thirty rows trained the model
    found = find_archetypes(explanation, {"bought": outcomes(explanation.rows, actual, predicted, split)})
    rates = found.archetypes[0].rates[0]
    assert rates.actual["yes"].value == pytest.approx(53 / 59)
    assert rates.actual["yes"].n == 59
    assert rates.predicted["yes"].value == 1
    assert rates.error.value == 0
    assert rates.error.n == 30
    assert rates.error.high > 0.05
    assert "bought: no 10 %" in found.archetypes[0].sentences[1]


def test_a_quantity_has_means(planted):
    explanation, truth = planted
    actual = truth + np.linspace(0, 1, 102)
    known = outcomes(explanation.rows, actual, actual, task=Task.REGRESSION)
    rates = find_archetypes(explanation, {"price": known}).archetypes[0].rates[0]
    assert rates.actual["mean"].value == pytest.approx(actual[:60].mean())
    assert rates.actual["mean"].low < rates.actual["mean"].value
    with pytest.raises(ValueError, match="exactly the explained rows"):
        find_archetypes(explanation, {"price": known.take(np.arange(50))})


def test_paths_of_the_same_name_tell_more_then_get_a_number():
    def path(*columns):
        return [
            StepRead(step=1, share=1.0, columns=tuple((name, 0.9 / (1 + place)) for place, name in enumerate(columns)))
        ]

    assert path_names([path("a", "b"), path("a", "c")]) == ("reads a and b", "reads a and c")
    assert path_names([path("a", "b"), path("a", "b")]) == ("reads a and b", "reads a and b (2)")
    assert path_names([path("9")]) == ("reads column 9",)
    assert path_names([path()]) == ("reads no column",)


def test_the_user_names_archetypes(planted):
    explanation, _ = planted
    found = find_archetypes(explanation)
    renamed = found.renamed("reads f2", "  careful \n savers ")
    assert renamed.names[1] == "careful savers"
    assert renamed.renamed("careful savers", "").names == found.names
    with pytest.raises(ExplanationError, match="no archetype 'reads f9'"):
        found.renamed("reads f9", "x")
    with pytest.raises(ExplanationError, match="another archetype is called 'reads f0, then f1'"):
        found.renamed("reads f2", "reads f0, then f1")
    with pytest.raises(ExplanationError, match="at most 80 letters"):
        found.renamed("reads f2", "x" * 81)


def test_archetypes_must_agree_with_their_rows(planted):
    found = find_archetypes(planted[0])
    with pytest.raises(ValueError, match="as many rows as the codes"):
        dataclasses.replace(found, codes=np.zeros_like(found.codes))


def test_of_a_run_streamed_equals_in_memory_and_is_kept(run, frame, monkeypatch):
    subject, encoded = Subject.of_run(run), run.encoder.transform(frame)
    chosen = ChosenRows(encoded, np.arange(len(frame)), "all rows")
    masks = explain_masks(subject, chosen)
    known = {"bought": row_outcomes(run.codec, run.splits, frame, masks.rows, masks.logits)}
    found = find_archetypes(masks, known)
    monkeypatch.setattr("tabnet_engine.explain.masks.CHUNK_ROWS", 7)
    streamed = find_archetypes_of_rows(subject, chosen, known)
    np.testing.assert_array_equal(streamed.codes, found.codes)
    assert streamed.names == found.names

    saved = save_archetypes(run, found)
    loaded = load_archetypes(saved)
    assert json.dumps(loaded.facts()) == json.dumps(found.facts())
    np.testing.assert_array_equal(loaded.codes, found.codes)
    renamed = rename_archetype(saved, found.names[0], "the usual")
    assert load_archetypes(renamed).names[0] == "the usual"
    assert isinstance(load_archetypes(renamed), Archetypes)
    # Another tab still has the run as it was opened: it reads no damage, and names the others.
    with pytest.raises(StorageError, match="changed meanwhile; reload") as told:
        load_archetypes(saved)
    assert not isinstance(told.value, DamagedRunError)
    with pytest.raises(ExplanationError, match="no archetype"):
        rename_archetype(saved, found.names[0], "the same again")
    renamed = rename_archetype(saved, found.names[1], "the other")
    assert load_archetypes(renamed).names[:2] == ("the usual", "the other")
    with pytest.raises(ExplanationError, match="has no archetypes"):
        load_archetypes(run)
    renamed.path("explanations/archetypes.json").write_text("{}")
    with pytest.raises(DamagedRunError):
        load_archetypes(renamed)
    shutil.rmtree(renamed.folder)
    with pytest.raises(UserError, match="deleted meanwhile; choose another"):
        rename_archetype(renamed, "the other", "gone")
    with pytest.raises(StorageError, match="deleted meanwhile; choose another"):
        load_archetypes(renamed)
