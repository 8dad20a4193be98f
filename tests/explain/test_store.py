"""Explanations in a run folder: what was saved is what is read, in slices too; damage is named."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from tabnet_engine.errors import DamagedRunError, ExplanationError
from tabnet_engine.explain import store, stored_arrays
from tabnet_engine.explain.background import BackgroundSample
from tabnet_engine.explain.importance import from_attribution, from_masks
from tabnet_engine.explain.masks import concatenate
from tabnet_engine.runs.artefact import add_part, load_run

MASK_ARRAYS = ("rows", "masks", "step_sizes", "contributions", "logits", "base")
SHAP_ARRAYS = ("rows", "values", "standard_error", "logits", "base")


def assert_same(first, second, arrays):
    for field in dataclasses.fields(first):
        before, after = getattr(first, field.name), getattr(second, field.name)
        if field.name in arrays:
            np.testing.assert_array_equal(after, before)
            assert after.dtype == before.dtype
        elif field.name != "background":
            assert after == before


def test_masks_come_back_as_they_were_saved(run, cases):
    saved = cases.masks(n_rows=9, n_steps=3, n_features=5, n_outputs=2)
    run = store.save_masks(run, [saved])
    assert_same(saved, store.load_masks(run), MASK_ARRAYS)
    assert_same(saved, store.load_masks(load_run(run.folder)), MASK_ARRAYS)


def test_masks_are_written_in_chunks_and_read_in_slices(run, cases, monkeypatch):
    monkeypatch.setattr(stored_arrays, "ROW_GROUP", 4)
    whole = cases.masks(n_rows=23, n_outputs=2)
    parts = [whole.take(range(10)), whole.take(range(10, 17)), whole.take(range(17, 23))]
    run = store.save_masks(run, iter(parts))
    assert_same(concatenate(parts), store.load_masks(run), MASK_ARRAYS)
    wanted = np.array([32, 11, 24, 25, 999])
    part = store.load_masks(run, wanted)
    assert part.rows.tolist() == [11, 24, 25, 32]  # stored order; 999 is not stored
    assert_same(whole.take([1, 14, 15, 22]), part, MASK_ARRAYS)
    assert store.stored_rows(run, store.MASKS).tolist() == list(range(10, 33))


def test_shap_values_come_back_as_they_were_saved(run, cases):
    saved = cases.attribution(np.random.default_rng(0).normal(size=(7, 4, 3)))
    run = store.save_attribution(run, saved)
    loaded = store.load_attribution(run)
    assert_same(saved, loaded, SHAP_ARRAYS)
    assert loaded.background.to_mapping() == saved.background.to_mapping()
    assert_same(saved.take([2, 5]), store.load_attribution(run, [15, 12]), SHAP_ARRAYS)
    bare = dataclasses.replace(saved, standard_error=None)
    assert store.load_attribution(store.save_attribution(run, bare)).standard_error is None


def test_everything_that_is_known_of_signed_values_comes_back(run, cases):
    saved = cases.attribution(
        np.random.default_rng(0).normal(size=(7, 4, 2)),
        method="sampling",
        algorithm="sampled Shapley values",
        is_complete=False,
        target_error=0.25,
        evaluations=np.arange(7),
        groups={"home": ("f0", "f1")},
        background=dataclasses.replace(cases.background(), kind="class"),
    )
    run = store.save_attribution(run, saved)
    loaded = store.load_attribution(run, method="sampling")
    assert_same(saved, loaded, (*SHAP_ARRAYS, "evaluations"))
    assert loaded.background.kind == "class"
    assert_same(
        saved.take([2, 5]), store.load_attribution(run, [15, 12], method="sampling"), (*SHAP_ARRAYS, "evaluations")
    )
    assert not store.has_attribution(run)
    with pytest.raises(ExplanationError, match="no SHAP values yet"):
        store.load_attribution(run)


def test_each_method_is_a_pair_of_its_own(run, cases):
    values = np.random.default_rng(0).normal(size=(3, 4, 1))
    for method in ("gradients", "shap", "ablation"):
        run = store.save_attribution(run, cases.attribution(values, method=method, seed=len(method)))
    assert store.stored_methods(run) == ("shap", "ablation", "gradients")
    for method in store.stored_methods(run):
        assert f"explanations/attribution-{method}.parquet" in run.manifest.parts
        assert store.load_attribution(run, method=method).seed == len(method)


def test_shap_values_of_an_earlier_version_are_still_read(run, cases):
    saved = cases.attribution(np.random.default_rng(0).normal(size=(7, 4, 3)))
    new = store.save_attribution(run, saved)
    arrays = stored_arrays.load_arrays(new, store.SHAP, "SHAP values")
    facts = stored_arrays.load_facts(new, store.SHAP, "SHAP values")
    for name in ("algorithm", "is_complete", "target_error", "groups"):
        del facts[name]
    del facts["background"]["kind"]
    old = stored_arrays.save_arrays(run, "explanations/shap", iter([arrays]), lambda: facts)
    manifest = dataclasses.replace(
        old.manifest, parts={name: part for name, part in old.manifest.parts.items() if "attribution" not in name}
    )
    old = dataclasses.replace(old, manifest=manifest)
    assert store.attribution_part(old) == "explanations/shap"
    assert store.has_explanations(old, store.SHAP)
    assert store.stored_methods(old) == ("shap",)
    assert_same(saved, store.load_attribution(old), SHAP_ARRAYS)
    assert store.stored_rows(old, store.SHAP).tolist() == saved.rows.tolist()
    assert store.attribution_part(store.save_attribution(old, saved)) == store.SHAP, "the new pair goes first"


def test_signed_values_are_written_and_read_in_parts(run, cases, monkeypatch):
    monkeypatch.setattr(stored_arrays, "ROW_GROUP", 4)
    whole = cases.attribution(np.random.default_rng(0).normal(size=(23, 4, 2)))
    parts = [
        dataclasses.replace(whole.take(range(10)), additivity_error=1e-7, n_evaluations=60),
        dataclasses.replace(whole.take(range(10, 17)), additivity_error=1e-8, n_evaluations=80),
        whole.take(range(17, 23)),
    ]
    taken = []
    run = store.save_attribution_parts(run, (taken.append(part) or part for part in parts))
    loaded = store.load_attribution(run)
    assert len(taken) == 3
    assert (loaded.additivity_error, loaded.n_evaluations) == (1e-7, 80)
    assert_same(dataclasses.replace(whole, additivity_error=1e-7, n_evaluations=80), loaded, SHAP_ARRAYS)
    read = list(store.iterate_attribution(run))
    assert max(part.n_rows for part in read) <= 4
    np.testing.assert_array_equal(np.concatenate([part.values for part in read]), whole.values)
    with pytest.raises(ExplanationError, match="no explained row to store"):
        store.save_attribution_parts(run, iter([]))
    for change in ({"seed": 9}, {"method": "ablation"}, {"base": whole.base + 1}):
        with pytest.raises(ValueError, match="chunks of one attribution must share"):
            store.save_attribution_parts(run, iter([whole, dataclasses.replace(whole, **change)]))
    assert store.load_attribution(run).n_rows == 23, "the run stayed as it was"


def test_parts_that_stopped_at_different_points_say_how_many_rows_met_the_target(run, cases):
    error = np.full((4, 3, 1), 0.2)
    error[0] = 0.01
    values = np.zeros((4, 3, 1))
    parts = [
        cases.attribution(values, algorithm="sampled: 3 orders; reached for 1", target_error=0.1, standard_error=error),
        cases.attribution(
            values, algorithm="sampled: 9 orders; reached for 4", target_error=0.1, standard_error=error / 9
        ),
    ]
    loaded = store.load_attribution(store.save_attribution_parts(run, iter(parts)))
    assert loaded.algorithm == "sampled; 5 of 8 rows reached the target error of 0.1"
    plain = [dataclasses.replace(part, target_error=None) for part in parts]
    loaded = store.load_attribution(store.save_attribution_parts(run, iter(plain)))
    assert loaded.algorithm == "4 rows: sampled: 3 orders; reached for 1; 4 rows: sampled: 9 orders; reached for 4"


def test_masks_are_read_in_groups_of_rows(run, cases, monkeypatch):
    monkeypatch.setattr(stored_arrays, "ROW_GROUP", 4)
    whole = cases.masks(n_rows=10)
    run = store.save_masks(run, [whole])
    parts = list(store.iterate_masks(run))
    assert [part.n_rows for part in parts] == [4, 4, 2]
    assert_same(whole, concatenate(parts), MASK_ARRAYS)


def test_a_small_result_is_one_json(run):
    assert not store.has_json(run, "archetypes")
    with pytest.raises(ExplanationError, match="this run has no archetypes yet; explain the run first"):
        store.load_json(run, "archetypes")
    run = load_run(store.save_json(run, "archetypes", {"k": 3, "name": "é"}).folder)
    assert store.load_json(run, "archetypes") == {"k": 3, "name": "é"}
    run = add_part(run, "explanations/archetypes.json", lambda path: path.write_text("{", encoding="utf-8"))
    with pytest.raises(DamagedRunError, match="its paths cannot be read"):
        store.load_json(run, "archetypes", "paths")
    with pytest.raises(ValueError, match="Out of range float"):
        store.save_json(run, "archetypes", {"k": float("nan")})


@pytest.mark.parametrize("kind", ["both", "numeric", "categorical"])
def test_the_background_comes_back_also_without_one_kind_of_slot(run, cases, kind):
    table = cases.mixed_table(3)
    numeric = table.numeric if kind != "categorical" else table.numeric[:, :0]
    categorical = table.categorical if kind != "numeric" else table.categorical[:, :0]
    sample = BackgroundSample(cases.background(3), dataclasses.replace(table, numeric=numeric, categorical=categorical))
    loaded = store.load_background(store.save_background(run, sample))
    np.testing.assert_array_equal(loaded.encoded.numeric, numeric)
    np.testing.assert_array_equal(loaded.encoded.categorical, categorical)
    assert (loaded.encoded.numeric.dtype, loaded.encoded.categorical.dtype) == (np.float32, np.int64)
    assert loaded.background.to_mapping() == sample.background.to_mapping()


def test_importances_come_back_as_they_were_saved(run, cases):
    saved = [from_masks(cases.masks()), from_attribution(cases.attribution(np.ones((2, 3, 1))))]
    run = store.save_importances(run, saved)
    assert [item.to_mapping() for item in store.load_importances(run)] == [item.to_mapping() for item in saved]


@pytest.mark.parametrize(
    ("load", "name", "what"),
    [
        (store.load_masks, store.MASKS, "attention masks"),
        (store.load_attribution, store.SHAP, "SHAP values"),
        (store.load_background, store.BACKGROUND, "background rows"),
        (store.load_importances, store.IMPORTANCE, "importances"),
    ],
)
def test_what_is_not_stored_says_so(run, load, name, what):
    assert not store.has_explanations(run, name)
    assert store.stored_rows(run, name).tolist() == []
    with pytest.raises(ExplanationError, match=f"no {what} yet; explain the run first"):
        load(run)


def test_rows_that_are_not_stored_say_so(run, cases):
    run = store.save_masks(run, [cases.masks()])
    assert store.has_explanations(run, store.MASKS)
    with pytest.raises(ExplanationError, match="no attention masks for this row"):
        store.load_masks(run, [3])
    with pytest.raises(ExplanationError, match="no attention masks for these rows"):
        store.load_masks(run, [3, 4])


def test_nothing_to_store_leaves_the_run_as_it_was(run):
    with pytest.raises(ExplanationError, match="no explained row to store"):
        store.save_masks(run, [])
    assert not store.has_explanations(load_run(run.folder), store.MASKS)


def test_saving_again_replaces(run, cases):
    run = store.save_masks(run, [cases.masks(n_rows=3)])
    run = store.save_masks(run, [cases.masks(n_rows=5)])
    assert store.load_masks(load_run(run.folder)).n_rows == 5


def test_a_changed_file_is_found_when_the_run_is_opened(run, cases):
    run = store.save_masks(run, [cases.masks()])
    path = run.folder / f"{store.MASKS}.parquet"
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)
    with pytest.raises(DamagedRunError, match=r"explanations/masks\.parquet"):
        load_run(run.folder)


def test_a_file_damaged_after_the_run_was_opened_is_a_damaged_run(run, cases):
    run = store.save_masks(run, [cases.masks()])
    (run.folder / f"{store.MASKS}.parquet").write_bytes(b"not parquet")
    for read in (store.load_masks, lambda run: store.stored_rows(run, store.MASKS)):
        with pytest.raises(DamagedRunError, match="attention masks cannot be read"):
            read(run)


def test_stored_masks_that_do_not_sum_to_one_are_refused(run, cases, monkeypatch):
    broken = cases.masks()
    broken.masks[0, 0, 0] += 0.5
    run = store.save_masks(run, [broken])
    with pytest.raises(DamagedRunError, match="must sum to one"):
        store.load_masks(run)


def test_the_json_beside_says_how_the_values_were_made(run, cases):
    run = store.save_attribution(run, cases.attribution(np.zeros((2, 3, 1))))
    facts = json.loads((run.folder / f"{store.SHAP}.json").read_text())
    assert facts["method"] == "shap"
    assert facts["background"]["description"] == "training rows"
    assert (facts["n_evaluations"], facts["n_permutations"], facts["seed"]) == (70, 10, 0)
    assert facts["run_id"] == "run-1"
