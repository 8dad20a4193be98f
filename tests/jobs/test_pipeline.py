"""The whole path: what a training stores, what it says of the truth, and what a cancel leaves behind."""

from __future__ import annotations

import dataclasses
import shutil
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tabnet_engine.config import ExplainConfig, choose_settings
from tabnet_engine.config.limits import EXPLAIN_METHODS
from tabnet_engine.data.encoding import TableEncoder
from tabnet_engine.data.kinds import propose_schema, set_target
from tabnet_engine.data.samples import load_sample, sample_schema
from tabnet_engine.data.splits import Splits
from tabnet_engine.data.synthetic import credit_applications
from tabnet_engine.data.tables import read_table
from tabnet_engine.errors import ConfigError, ExplanationError, JobCancelledError, SchemaError
from tabnet_engine.explain import resumable, store
from tabnet_engine.explain.agreement import disagreement_sentences, rank_agreement
from tabnet_engine.explain.archetype_store import load_archetypes, rename_archetype
from tabnet_engine.explain.effects.permutation_result import PermutationImportance
from tabnet_engine.explain.evaluation import load_evaluation
from tabnet_engine.explain.signed.methods import explain_rows
from tabnet_engine.jobs import worker
from tabnet_engine.jobs.explaining import PERMUTATION
from tabnet_engine.jobs.explaining_table import TABLE_METHODS, Asked
from tabnet_engine.jobs.monitor import EXPLAINING, Monitor
from tabnet_engine.jobs.pipeline import Source, explain_run, explain_table, explanation_settings, train_run
from tabnet_engine.jobs.queue import JobQueue
from tabnet_engine.jobs.records import JobProgress, JobState
from tabnet_engine.jobs.spec import ExplainPayload, TrainPayload
from tabnet_engine.jobs.tasks import TASKS
from tabnet_engine.runs.artefact import DatasetRef, Run, load_run, save_run
from tabnet_engine.runs.workspace import Workspace
from tabnet_engine.training.history import History
from tests.jobs.conftest import NoLauncher

QUICK = {"max_epochs": 1, "n_shap_rows": 4, "n_background": 5, "n_steps": 2, "n_d": 4, "n_a": 4, "n_effect_columns": 1}
REF = DatasetRef("0" * 64, "credit.csv", 300, 13)


def source(n_rows: int = 300, seed: int = 4) -> Source:
    frame, _ = credit_applications(n_rows=n_rows, seed=seed)
    return Source(frame, set_target(propose_schema(frame), frame, "decision"), REF)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return train_run(source(), tmp_path_factory.mktemp("pipeline") / "run", QUICK, title="credit")


def test_a_training_stores_everything_the_pages_read(run: Run):
    loaded = load_run(run.folder)
    for part in (store.MASKS, store.SHAP, store.BACKGROUND, store.IMPORTANCE):
        assert store.has_explanations(loaded, part)
    masks, values = store.load_masks(loaded), store.load_attribution(loaded)
    assert masks.n_rows == 300
    assert set(values.rows) <= set(loaded.splits.test)
    assert set(values.background.rows) <= set(loaded.splits.train), "the background is of training rows alone"
    methods = [importance.method for importance in store.load_importances(loaded)]
    assert methods == ["masks", "shap", "gradients", "permutation"]
    assert store.stored_methods(loaded) == ("shap", "gradients")
    gradients = store.load_attribution(loaded, method="gradients")
    np.testing.assert_array_equal(gradients.rows, values.rows)
    evaluation = load_evaluation(loaded)
    assert set(evaluation.chosen.rows) <= set(loaded.splits.test), "trust is measured on held-out rows"
    permuted = PermutationImportance.from_mapping(store.load_json(loaded, PERMUTATION))
    np.testing.assert_array_equal(permuted.rows, evaluation.chosen.rows)


def test_the_stored_logits_are_those_of_a_prediction(run: Run):
    from tabnet_engine.training.prediction import predict_frame

    logits = store.load_masks(run).logits[:, 0]
    predicted = predict_frame(run.model(), source().frame)[f"logit_{run.codec.outputs[0]}"]
    np.testing.assert_allclose(logits, predicted, atol=1e-5)


def test_progress_only_grows_and_reaches_the_end(tmp_path: Path):
    seen: list[JobProgress] = []
    epochs: list[int] = []
    monitor = Monitor(seen.append, lambda record: epochs.append(record.epoch))
    train_run(source(), tmp_path / "run", {**QUICK, "max_epochs": 3}, title="t", monitor=monitor)
    fractions = [progress.fraction for progress in seen]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert epochs == [1, 2, 3]
    assert [*dict.fromkeys(progress.phase for progress in seen)] == [
        "Training", "Masks", "SHAP", "Expected gradients", "Permutation", "Effects",
    ]  # fmt: skip


def test_explaining_alone_fills_the_whole_bar(run: Run, tmp_path: Path):
    copy = load_run(shutil.copytree(run.folder, tmp_path / "copy"))
    seen: list[float] = []
    monitor = Monitor(lambda progress: seen.append(progress.fraction), phases=EXPLAINING)
    explain_run(copy, source().frame, ExplainConfig(n_shap_rows=3), monitor=monitor)
    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == (pytest.approx(0), pytest.approx(1))


@pytest.mark.parametrize(("phase", "kept"), [("Training", False), ("Masks", True), ("SHAP", True)])
def test_a_cancel_keeps_what_was_finished(phase: str, kept: bool, tmp_path: Path):
    phases: list[str] = []
    monitor = Monitor(lambda progress: phases.append(progress.phase), should_cancel=lambda: phase in phases)
    with pytest.raises(JobCancelledError):
        train_run(source(), tmp_path / "run", QUICK, title="t", monitor=monitor)
    assert (tmp_path / "run").exists() == kept
    assert list(tmp_path.iterdir()) == ([tmp_path / "run"] if kept else [])
    if kept:
        assert store.has_explanations(load_run(tmp_path / "run"), store.MASKS) == (phase == "SHAP")


def test_explaining_again_keeps_masks_and_the_names_of_archetypes(run: Run, tmp_path: Path):
    copy = load_run(shutil.copytree(run.folder, tmp_path / "copy"))
    named = rename_archetype(copy, load_archetypes(copy).archetypes[0].name, "my own name")
    masks = named.manifest.parts["explanations/masks.parquet"]
    config = ExplainConfig(methods=("ablation",), n_shap_rows=2, n_effect_columns=0)
    again = explain_run(named, source().frame, config)
    assert "my own name" in [found.name for found in load_archetypes(again).archetypes]
    assert again.manifest.parts["explanations/masks.parquet"] == masks
    fewer = explain_run(again, source().frame, config.replace(max_mask_rows=20))
    assert len(store.stored_rows(fewer, store.MASKS)) == 20, "other rows were asked for"


def test_a_run_is_explained_anew_with_another_budget(run: Run, tmp_path: Path):
    copy = load_run(shutil.copytree(run.folder, tmp_path / "copy"))
    again = explain_run(copy, source().frame, ExplainConfig(n_shap_rows=3, n_background=7, seed=1))
    values = store.load_attribution(again)
    assert (values.n_rows, values.background.n_rows, values.seed) == (3, 7, 1)
    without = explain_run(again, source().frame, ExplainConfig(n_shap_rows=0))
    assert store.load_attribution(without).n_rows == 3, "asking for none computes none and loses none"
    assert {item.method for item in store.load_importances(without)} >= {"shap", "gradients"}
    more = explain_run(without, source().frame, ExplainConfig(methods=("ablation",), n_shap_rows=2))
    assert store.stored_methods(more) == ("shap", "ablation", "gradients")
    assert [item.n_rows for item in store.load_importances(more) if item.method == "ablation"] == [2]


def test_backgrounds_of_a_class_a_slice_and_near_the_cutoff(run: Run, tmp_path: Path):
    copy = load_run(shutil.copytree(run.folder, tmp_path / "copy"))
    frame = source().frame
    asked = {"n_shap_rows": 2, "n_background": 4, "methods": ("shap",)}
    of_class = explain_run(copy, frame, ExplainConfig(**asked, background="class", background_class="declined"))
    background = store.load_attribution(of_class).background
    assert background.kind == "class"
    assert set(frame["decision"].iloc[background.rows]) == {"declined"}
    assert set(background.rows) <= set(run.splits.train)
    where = ExplainConfig(**asked, background="where", background_where="loan_amount_eur > 10000 and region != north")
    background = store.load_attribution(explain_run(copy, frame, where)).background
    assert (frame["loan_amount_eur"].iloc[background.rows] > 10_000).all()
    near = store.load_attribution(explain_run(copy, frame, ExplainConfig(**asked, background="cutoff"))).background
    assert "is nearest to 0.5" in near.description
    nobody = ExplainConfig(**asked, background="where", background_where="loan_amount_eur < 0")
    with pytest.raises(ExplanationError, match="the background is empty"):
        explain_run(copy, frame, nobody)


def test_an_explanation_that_died_goes_on_and_gives_the_same(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Killed between two methods and within one: the second attempt recomputes nothing that was kept."""
    config = ExplainConfig(n_shap_rows=12, n_background=5, n_evaluations=46)
    whole = load_run(shutil.copytree(run.folder, tmp_path / "whole"))
    explain_run(whole, source().frame, config)
    monkeypatch.setattr(resumable, "_LEAST_ROWS", 4)
    copy, kept = load_run(shutil.copytree(run.folder, tmp_path / "copy")), tmp_path / "kept"
    seen: list[str] = []
    monitor = Monitor(
        lambda progress: seen.append(f"{progress.phase} {progress.message}"),
        should_cancel=lambda: "Expected gradients 4 of 12 rows" in seen,
        phases=EXPLAINING,
    )
    with pytest.raises(JobCancelledError):
        explain_run(copy, source().frame, config, monitor=monitor, checkpoint=kept)
    assert sorted(path.name for path in kept.iterdir()) == ["gradients", "shap"]
    calls: list[str] = []

    def counting(subject, chosen, background, method, **named):  # type: ignore[no-untyped-def]
        calls.extend([method.name] * len(chosen))
        return explain_rows(subject, chosen, background, method, **named)

    monkeypatch.setattr(resumable, "explain_rows", counting)
    done = explain_run(load_run(copy.folder), source().frame, config, checkpoint=kept)
    assert calls == ["gradients"] * 8
    assert not kept.exists()
    for method in ("shap", "gradients"):
        first, second = (
            store.load_attribution(load_run(whole.folder), method=method),
            store.load_attribution(done, method=method),
        )
        np.testing.assert_array_equal(second.values, first.values)


def test_caps_are_said(run: Run):
    config = ExplainConfig(max_mask_rows=100, n_shap_rows=2)
    pieces, facts = explain_table(run, source().frame, ["masks", "shap"], config)
    table = pd.concat(list(pieces))
    assert table.loc[table["method"] == "masks", "row"].nunique() == 100
    assert [sentence.split(":")[0] for sentence in facts()["rows_left_out"]] == ["masks", "shap"]
    assert "200 of 300" in facts()["rows_left_out"][0]
    assert "298 of 300 rows, since n_shap_rows is 2" in facts()["methods"]["shap"]["rows_left_out"][0]
    pieces, facts = explain_table(run, source().frame, ["masks"], ExplainConfig())
    assert set(pd.concat(list(pieces))["method"]) == {"masks"}
    assert facts()["rows_left_out"] == []


def explained(run: Run, methods: list[str], config: ExplainConfig | None = None, **asked: object) -> tuple:
    request = Asked(**asked)  # type: ignore[arg-type]
    pieces, facts = explain_table(run, source().frame, methods, config or ExplainConfig(n_shap_rows=2), asked=request)
    return pd.concat(list(pieces)), facts()


def test_chosen_rows_are_explained_by_every_method_whatever_the_caps(run: Run):
    table, facts = explained(run, ["masks", "shap", "ablation"], rows=(7, 3, 7, 250))
    assert {name: sorted(set(part["row"])) for name, part in table.groupby("method")} == {
        name: [3, 7, 250] for name in ("masks", "shap", "ablation")
    }
    assert facts["methods"]["shap"]["selection"] == "rows 3, 7, 250"
    assert facts["methods"]["shap"]["rows_left_out"] == ["297 of 300 rows, which were not asked for"]
    assert facts["methods"]["ablation"]["is_complete"] is False
    table, facts = explained(run, ["shap"], where=("loan_amount_eur > 30000", "region = north"))
    frame = source().frame
    expected = np.flatnonzero((frame["loan_amount_eur"] > 30_000) & (frame["region"] == "north"))
    assert sorted(set(table["row"])) == expected.tolist()
    assert "with loan_amount_eur > 30000 and region = north" in facts["methods"]["shap"]["selection"]


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"rows": (300,)}, "the table has no row 300; its rows are numbered from 0 to 299"),
        ({"rows": (-1,)}, "the table has no row -1"),
        ({"rows": (1,), "where": ("region = north",)}, "give --row or --where"),
        ({"where": ("loan_amount_eur < 0",)}, "no row of the table meets"),
        ({"groups": {"home": ("nowhere",)}}, "the group 'home' names 'nowhere'"),
    ],
)
def test_rows_and_groups_that_do_not_exist_are_refused(run: Run, asked: dict, words: str):
    with pytest.raises(ExplanationError, match=words):
        explained(run, ["masks"], **asked)


def test_groups_move_together_in_every_method(run: Run):
    groups = {"money": ("income_eur", "loan_amount_eur")}
    table, facts = explained(run, ["shap", "gradients", "permutation"], rows=(3, 9, 12, 15), groups=groups)
    for method, part in table.groupby("method"):
        assert "money" in set(part["feature"]), method
        assert not {"income_eur", "loan_amount_eur"} & set(part["feature"]), method
        assert facts["methods"][method]["groups"] == {"money": ["income_eur", "loan_amount_eur"]}


def test_permutation_is_measured_on_held_out_rows_where_the_table_is_the_runs_own(run: Run):
    _, facts = explained(run, ["permutation"], is_own=True)
    n_test = len(run.splits.test)
    assert facts["methods"]["permutation"]["selection"] == f"all {n_test:,} test rows"
    table, facts = explained(run, ["permutation"])
    assert facts["methods"]["permutation"]["selection"] == "all 300 rows of the explained table"
    assert table["row"].isna().all()
    assert set(table["output"]) == {"decision"}
    with pytest.raises(SchemaError, match="decision"):
        explain_table(run, source().frame.drop(columns="decision"), ["permutation"], ExplainConfig())


def test_a_background_can_be_asked_of_the_explained_table(run: Run):
    config = ExplainConfig(n_shap_rows=2, n_background=4, background="class", background_class="declined")
    _, facts = explained(run, ["shap"], config)
    assert (
        "rows of the explained table of the class 'declined'" in facts["methods"]["shap"]["background"]["description"]
    )
    _, facts = explained(run, ["shap"], config, is_own=True)
    background = facts["methods"]["shap"]["background"]
    assert "training rows of the class 'declined'" in background["description"]
    assert set(background["rows"]) <= set(run.splits.train.tolist())
    without = source().frame.drop(columns="decision")
    with pytest.raises(ExplanationError, match="needs the column 'decision'"):
        explain_table(run, without, ["shap"], config)


@pytest.mark.parametrize(
    ("methods", "settings", "rows", "words"),
    [
        (["masks", "permutation"], {}, (1,), "permutation needs at least 2 rows with a known target, got 1; choose"),
        (["masks", "permutation"], {"n_importance_rows": 1}, (), "raise n_importance_rows or leave permutation out"),
        (["masks", "shap"], {"n_shap_rows": 0}, (), "n_shap_rows is 0, so shap would explain no row"),
        (["masks", "exact"], {"n_evaluations": 99}, (1,), "too few for the method exact .* 2,048 are needed"),
        (["masks", "shap_exact"], {"n_evaluations": 99}, (1,), "2,048 are needed"),
        (["masks", "ablation"], {"n_evaluations": 3}, (1,), "12 are needed"),
        (["masks", "shap_kernel"], {"n_evaluations": 3}, (1,), "at least 23 are needed"),
        (["masks", "sampling"], {"n_evaluations": 10_000_000}, (1,), "over 5 background rows"),
    ],
)
def test_what_cannot_be_met_is_refused_before_any_other_method_works(
    run: Run, methods: list[str], settings: dict, rows: tuple[int, ...], words: str
):
    with pytest.raises(ExplanationError, match=words):
        explain_table(run, source().frame, methods, ExplainConfig(**settings), asked=Asked(rows=rows))


def test_refused_methods_say_why(run: Run):
    for name in ("shap_deep", "shap_gradient"):
        with pytest.raises(ConfigError, match=f"{name} is refused: .*cannot explain this network"):
            explain_table(run, source().frame, [name], ExplainConfig())
    with pytest.raises(ConfigError, match=r"takes any of masks, shap, .*, permutation, got 'lime'"):
        explain_table(run, source().frame, ["lime"], ExplainConfig())


def test_the_settings_know_the_methods_that_there_are():
    assert set(EXPLAIN_METHODS) == set(TABLE_METHODS)


def test_a_wide_table_is_trained_without_shap_and_says_so(tmp_path: Path):
    generator = np.random.default_rng(0)
    frame = pd.DataFrame(generator.normal(size=(60, 501)), columns=[f"x{index}" for index in range(501)])
    frame["y"] = np.where(frame["x0"] > 0, "a", "b")
    wide = Source(frame, set_target(propose_schema(frame), frame, "y"), REF)
    few = {"n_shap_rows": 1, "n_background": 2, "n_importance_rows": 5, "n_effect_columns": 0}
    run = train_run(wide, tmp_path / "run", {**QUICK, **few}, title="wide")
    assert store.has_explanations(run, store.MASKS)
    assert not store.has_explanations(run, store.SHAP)
    assert {item.method for item in store.load_importances(run)} == {"masks", "gradients", "permutation"}
    assert any("at most 500 columns" in note and "methods=shap" in note for note in run.manifest.notes)
    assert "shap" not in explanation_settings(run, {"preset": "best"}).methods, "a second attempt asks for none either"
    assert "shap" in explanation_settings(run, {"methods": ["shap"], "n_shap_rows": 1}).methods


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"background": "class", "background_class": "maybe"}, ExplanationError, "there is no class 'maybe'"),
        ({"background": "where", "background_where": "nowhere > 1"}, SchemaError, "there is no column 'nowhere'"),
    ],
)
def test_a_background_that_cannot_be_is_refused_before_training(
    settings: dict, error: type, words: str, tmp_path: Path
):
    with pytest.raises(error, match=words):
        train_run(source(), tmp_path / "run", {**QUICK, **settings}, title="t")
    assert not (tmp_path / "run").exists()


def test_a_budget_that_cannot_be_met_is_refused_before_training(tmp_path: Path):
    with pytest.raises(ExplanationError, match="too few"):
        train_run(source(), tmp_path / "run", {**QUICK, "n_evaluations": 3}, title="t")
    assert not (tmp_path / "run").exists()


def test_values_that_fail_their_check_are_one_sentence_and_the_run_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("tabnet_engine.explain.signed.game.TOLERANCE", -1.0)
    with pytest.raises(ExplanationError, match=r"failed their own check and are not kept.* train with fewer n_steps"):
        train_run(source(), tmp_path / "run", QUICK, title="t")
    kept = load_run(tmp_path / "run")
    assert store.has_explanations(kept, store.MASKS)
    assert not store.has_explanations(kept, store.SHAP)


def test_an_imported_run_is_explained_against_the_table_it_is_asked_about(run: Run, tmp_path: Path):
    imported = without_rows(run, tmp_path / "imported")
    pieces, facts = explain_table(imported, source().frame, ["masks", "shap"], ExplainConfig(n_shap_rows=2))
    assert set(pd.concat(list(pieces))["method"]) == {"masks", "shap"}
    assert "of the explained table" in facts()["methods"]["shap"]["background"]["description"]
    with pytest.raises(ExplanationError, match="imported without the rows it was trained on and has no attention"):
        store.load_masks(imported)
    with pytest.raises(ExplanationError, match="was imported without the rows it was trained on"):
        explain_run(imported, source().frame, ExplainConfig())


def test_a_trained_run_without_background_is_not_given_another(run: Run, tmp_path: Path):
    model, reference = run.model(), run.manifest.dataset
    bare = save_run(model, tmp_path / "bare", dataset=reference, read_options={}, title="bare")
    with pytest.raises(ExplanationError, match="give the table that it was trained on, or choose a background"):
        explain_table(bare, source().frame, ["masks", "shap"], ExplainConfig(n_shap_rows=2))
    config = ExplainConfig(n_shap_rows=2, n_background=5)
    pieces, facts = explain_table(bare, source().frame, ["shap"], config, asked=Asked(is_own=True))
    assert len(list(pieces)) == 1
    drawn = facts()["methods"]["shap"]["background"]
    assert set(drawn["rows"]) <= set(run.splits.train.tolist()), "from its own table it is the one explaining draws"
    assert drawn["rows"] == store.load_background(run).background.rows.tolist()
    pieces, _ = explain_table(bare, source().frame, ["masks"], ExplainConfig())
    assert len(list(pieces)) == 1


def without_rows(run: Run, folder: Path) -> Run:
    """The run as an import makes one: nothing is known of the rows it was trained on."""
    nothing = np.zeros(0, dtype=np.int64)
    model = dataclasses.replace(
        run.model(), splits=Splits(nothing, nothing, nothing), history=History((), 0), metrics={}
    )
    return save_run(model, folder, dataset=run.manifest.dataset, read_options={}, title="imported")


def test_a_table_without_rows_is_refused(run: Run):
    with pytest.raises(ExplanationError, match="no rows"):
        explain_table(run, source().frame.head(0), ["masks"], ExplainConfig())


def test_no_feature_and_unknown_settings_are_refused(tmp_path: Path):
    frame = pd.DataFrame({"y": ["a", "b"] * 20})
    alone = Source(frame, set_target(propose_schema(frame), frame, "y"), REF)
    with pytest.raises(SchemaError, match="no column is left"):
        train_run(alone, tmp_path / "run", {}, title="t")
    with pytest.raises(ConfigError, match="'epochs'"):
        choose_settings({"epochs": 1}, n_rows=10, n_features=2)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace.open(tmp_path / "workspace")


def stored(workspace: Workspace, tmp_path: Path, name: str = "credit", seed: int = 4) -> str:
    path = tmp_path / f"{name}.csv"
    credit_applications(n_rows=300, seed=seed)[0].to_csv(path, index=False)
    table = read_table(path)
    schema = set_target(propose_schema(table.frame), table.frame, "decision")
    return workspace.add_dataset(table, path, schema=schema).dataset_id


def wait(queue: JobQueue, job_id: str) -> JobState:
    deadline = time.monotonic() + 120
    while not queue.job(job_id).ended and time.monotonic() < deadline:
        time.sleep(0.1)
        queue.reconcile()
    return queue.job(job_id).state


def work(queue: JobQueue, job_id: str) -> JobState:
    """Do a job in this process."""
    worker.run_job(queue, queue.claim(job_id), TASKS)
    return queue.job(job_id).state


def test_a_real_worker_trains_then_explains_anew(workspace: Workspace, tmp_path: Path):
    queue = JobQueue(workspace)
    dataset_id, test_id = stored(workspace, tmp_path), stored(workspace, tmp_path, "later", seed=9)
    run_id, _ = workspace.new_run_folder()
    payload = TrainPayload(dataset_id=dataset_id, settings=QUICK, title="mine", test_dataset_id=test_id)
    job_id = queue.submit(payload.to_spec(run_id))
    assert wait(queue, job_id) is JobState.SUCCEEDED, queue.log_text(job_id)
    run = workspace.run(run_id)
    assert run.manifest.title == "mine"
    assert run.manifest.dataset.dataset_id == dataset_id
    assert len(run.splits.test) == 0
    assert "auc" in run.manifest.metrics["test"]
    assert any("later.csv" in note for note in run.manifest.notes)
    assert len(queue.epochs(job_id)) == 1

    again = queue.submit(ExplainPayload(run_id=run_id, settings={"n_shap_rows": 2}, title="again").to_spec())
    assert wait(queue, again) is JobState.SUCCEEDED, queue.log_text(again)
    assert store.load_attribution(workspace.run(run_id)).n_rows == 2


def test_a_second_attempt_only_explains_a_run_that_was_saved(workspace: Workspace, tmp_path: Path):
    queue = JobQueue(workspace, launcher=NoLauncher())
    run_id, folder = workspace.new_run_folder()
    spec = TrainPayload(dataset_id=stored(workspace, tmp_path), settings=QUICK, title="t").to_spec(run_id)
    assert work(queue, queue.submit(spec)) is JobState.SUCCEEDED
    weights = (folder / "weights.safetensors").stat()
    assert work(queue, queue.submit(spec)) is JobState.SUCCEEDED
    assert (folder / "weights.safetensors").stat() == weights


def test_on_the_credit_sample_the_deciding_columns_lead_by_shap(tmp_path: Path):
    """The sample's rule is known, so the explanation is compared with the truth, not with itself."""
    sample = load_sample("credit")
    assert sample.truth is not None
    frame = Source(sample.frame, sample_schema(sample), REF)
    few = {"methods": ["shap"], "n_shap_rows": 60, "n_background": 20, "n_effect_columns": 0}
    run = train_run(frame, tmp_path / "run", few, title="credit")
    found = {item.method: item for item in store.load_importances(run)}
    masks, shap = found["masks"], found["shap"]
    order = [shap.features[index] for index in np.argsort(-shap.values)]
    deciding = set(sample.truth.deciding)
    assert set(order[: len(deciding)]) == deciding
    assert order[0] in sample.truth.deciding[:2]
    assert run.manifest.metrics["test"]["auc"] > 0.85

    both = rank_agreement(masks, shap)
    sentences = disagreement_sentences(both)
    leading = np.minimum(both.first_rank, both.second_rank) <= 5
    far_apart = [
        name for name, gap in zip(both.features, np.abs(both.rank_difference) * leading, strict=True) if gap >= 5
    ]
    assert all(any(name in sentence for sentence in sentences) for name in far_apart), (far_apart, sentences)


def test_missing_and_unseen_cells_are_explained_like_others(run: Run):
    frame = source().frame.head(3).copy()
    frame.loc[0, "income_eur"] = np.nan
    frame["loan_purpose"] = frame["loan_purpose"].astype("str")
    frame.loc[1, "loan_purpose"] = "never seen before"
    encoder: TableEncoder = run.encoder
    states = pd.DataFrame(encoder.cell_states(frame), columns=list(encoder.schema.feature_names))
    assert (states.loc[0, "income_eur"], states.loc[1, "loan_purpose"]) == (1, 2)
    pieces, _ = explain_table(run, frame, ["masks", "shap"], ExplainConfig())
    assert np.isfinite(pd.concat(list(pieces))["value"]).all()


def test_one_held_out_row_leaves_permutation_importance_out_and_says_so(run: Run, tmp_path: Path):
    copy = load_run(Path(shutil.copytree(run.folder, tmp_path / "run")))
    explained = explain_run(copy, source().frame, ExplainConfig(n_shap_rows=2, n_background=5, n_importance_rows=1))
    importances = {item.method: item for item in store.load_importances(explained)}
    told = "Permutation importance is left out: it needs at least 2 held-out rows with a known target, and there is 1."
    assert importances["masks"].note.endswith(told)
    assert "permutation" not in store.load_importances(run)[0].note.lower(), "where it is measured, nothing is said"
    assert {"shap", "gradients"} <= set(importances)
