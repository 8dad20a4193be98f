"""Pretraining in the browser: the form, what was learned of each column, a training from it, what it was worth."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages._ui import data_access, pretraining_view, pretraining_worth
from pages._ui.train_start import PRETRAIN
from tabnet_engine.config import PretrainingConfig
from tabnet_engine.data.kinds import set_target
from tabnet_engine.errors import UserError
from tabnet_engine.jobs.queue import JobQueue
from tabnet_engine.jobs.spec import PretrainPayload, TrainPayload, WorthPayload
from tabnet_engine.runs.workspace import Workspace
from tests.pages.conftest import ROOT, Stored, checked, texts
from tests.pages.explained import figures
from tests.pages.pretrained import TITLE, add_worth, install_pretraining, measured

Open = Callable[..., AppTest]
pytestmark = pytest.mark.usefixtures("no_process")


@pytest.fixture
def pretrained(workspace_root: Path) -> Stored:
    return install_pretraining(workspace_root)


def press(app: AppTest, label: str) -> AppTest:
    next(button for button in app.button if button.label == label).click()
    return checked(app.run())


def predict(space: Workspace, stored: Stored, *names: str) -> None:
    """Choose the column to predict, as the tables page does."""
    schema = space.load_schema(stored.dataset_id)
    assert schema is not None
    for name in names:
        space.save_schema(stored.dataset_id, set_target(schema, space.load_frame(stored.dataset_id), name))


def start_from(app: AppTest) -> list[str]:
    return [option for box in app.selectbox if box.label == "Start from" for option in box.options]


def test_a_table_without_a_target_can_be_pretrained(
    open_page: Open, add_table: Callable[..., str], space: Workspace
) -> None:
    dataset_id = add_table()
    app = open_page("train", dataset=dataset_id, mode=PRETRAIN)
    next(box for box in app.number_input if box.label == "Epochs").set_value(3)
    next(box for box in app.number_input if box.label == "Share of hidden cells").set_value(0.4)
    app.multiselect[0].set_value(["approved"])
    checked(app.run())
    press(app, "Pretrain")
    (job,) = JobQueue(space).list()
    payload = PretrainPayload.of(job.spec)
    assert job.spec.kind == "pretrain"
    assert payload.ignore == ("approved",)
    assert payload.settings["max_epochs"] == 3
    assert payload.settings["mask_rate"] == 0.4
    assert set(PretrainingConfig().to_mapping()) <= set(payload.settings)
    assert app.query_params["job"] == job.job_id


def test_the_column_to_predict_is_said_to_be_left_out(open_page: Open, add_table: Callable[..., str]) -> None:
    app = open_page("train", dataset=add_table(target="approved"), mode=PRETRAIN)
    assert "Not read either, since it is to be predicted: approved" in texts(app).replace("\\", "")
    assert "approved" not in app.multiselect[0].options


def test_the_tables_page_leads_to_pretraining_with_and_without_a_target(
    open_page: Open, add_table: Callable[..., str]
) -> None:
    for dataset_id in (add_table(), add_table(target="approved", name="other.csv")):
        labels = {button.label for button in open_page("dataset", dataset=dataset_id).button}
        assert "Pretrain without a target" in labels


def test_a_pretraining_shows_each_column_and_names_the_constant_one(open_page: Open, pretrained: Stored) -> None:
    app = open_page("runs", run=pretrained.run_id)
    run = data_access.run(pretrained.run_id)
    drawn = " ".join(figure["layout"]["title"]["text"] for figure in figures(app).values())
    assert "How well hidden cells are filled in" in drawn
    assert "Reconstruction error" in drawn
    errors = next(table.value for table in app.dataframe if "hidden cells" in table.value)
    assert list(errors["column"]) == [column.name for column in run.reconstruction.columns]
    assert list(errors["error"].dropna()) == [column.error for column in run.reconstruction.measured]
    said = texts(app).replace("\\", "")
    assert "approved (ignored)" in said
    assert "same (one value only)" in said
    assert "Mean error" in {metric.label for metric in app.metric}
    assert "Train from this pretraining" in {button.label for button in app.button}
    overview = app.dataframe[0].value
    assert overview["Task"][0] == "pretraining"
    assert "reconstruction error" in overview["Other scores"][0]


@pytest.mark.parametrize(("view", "found"), [("settings", "mask_rate"), ("origin", "SHA-256 of weights.safetensors")])
def test_settings_and_origin_of_a_pretraining(open_page: Open, pretrained: Stored, view: str, found: str) -> None:
    app = open_page("runs", run=pretrained.run_id, view=view)
    assert any(found in set(table.value.get("name", ())) for table in app.dataframe)


def test_a_column_without_an_error_is_named_with_its_reason() -> None:
    from tabnet_engine.training.reconstruction import ColumnReconstruction, Reconstruction

    whole = Reconstruction(
        columns=(
            ColumnReconstruction(name="a", error=0.5, standard_error=0.1, n_masked=9),
            ColumnReconstruction(name="b", error=None, standard_error=None, n_masked=0, skipped="constant"),
        ),
        overall=0.5,
        mask_rate=0.3,
        n_rows=30,
        seed=0,
    )
    table = pretraining_view.reconstruction_table(whole)
    assert list(table["left out because"]) == ["", "constant"]
    assert table["error"].isna().tolist() == [False, True]


def test_a_training_starts_from_a_pretraining(open_page: Open, pretrained: Stored, space: Workspace) -> None:
    predict(space, pretrained, "approved")
    app = open_page("train", dataset=pretrained.dataset_id, pretrained=pretrained.run_id)
    assert "Its shape cannot be changed here" in texts(app)
    assert "Decision steps" not in {box.label for box in app.number_input}
    next(box for box in app.number_input if box.label == "Frozen epochs").set_value(2)
    checked(app.run())
    press(app, "Train")
    (job,) = JobQueue(space).list()
    payload = TrainPayload.of(job.spec)
    assert payload.pretrained_run_id == pretrained.run_id
    assert payload.settings["freeze_epochs"] == 2
    assert "n_steps" not in payload.settings


def test_random_weights_can_be_chosen_again(open_page: Open, pretrained: Stored, space: Workspace) -> None:
    predict(space, pretrained, "approved")
    app = open_page("train", dataset=pretrained.dataset_id, pretrained=pretrained.run_id)
    next(box for box in app.selectbox if box.label == "Start from").set_value("")
    checked(app.run())
    assert "Decision steps" in {box.label for box in app.number_input}
    press(app, "Train")
    (job,) = JobQueue(space).list()
    assert TrainPayload.of(job.spec).pretrained_run_id is None


def test_a_pretraining_that_has_read_the_target_is_not_offered(
    open_page: Open, pretrained: Stored, space: Workspace
) -> None:
    predict(space, pretrained, "age")
    app = open_page("train", dataset=pretrained.dataset_id, pretrained=pretrained.run_id)
    assert start_from(app) == []
    assert "has read a column that is now to be predicted" in texts(app)


def test_a_pretraining_on_other_columns_is_not_offered(
    open_page: Open, pretrained: Stored, add_table: Callable[..., str]
) -> None:
    from tests.pages.explained import bottles

    app = open_page("train", dataset=add_table(bottles("grape"), name="bottles.csv", target="grape"))
    assert start_from(app) == []


@pytest.mark.parametrize("page", ["importance", "masks", "shap_comparison", "decision"])
def test_the_explaining_pages_never_offer_a_pretraining(open_page: Open, pretrained: Stored, page: str) -> None:
    app = open_page(page, run=pretrained.run_id)
    assert "Only pretrainings here" in texts(app)
    assert not app.selectbox
    assert len(app.get("page_link")) == 1


def test_a_pretraining_asked_for_beside_a_trained_run_is_told(
    open_page: Open, with_run: Stored, workspace_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_access, "pretraining_names", lambda: {"20260101-000000-abcdef12": "Filled in"})
    app = open_page("masks", run="20260101-000000-abcdef12")
    assert "A pretraining predicts nothing" in texts(app)
    assert app.query_params["run"] in (with_run.run_id, [with_run.run_id])


def test_a_finished_pretraining_shows_what_it_learned(open_page: Open, pretrained: Stored, space: Workspace) -> None:
    queue = JobQueue(space)
    payload = PretrainPayload(dataset_id=pretrained.dataset_id, title=TITLE)
    job_id = queue.submit(payload.to_spec(pretrained.run_id))
    queue.claim(job_id).finish()
    app = open_page("train", job=job_id)
    assert "pretrained in" in app.success[0].value
    assert "What was learned about each column" in texts(app)
    assert "What pretraining was worth" in texts(app)


def test_the_worth_of_a_pretraining_is_asked_for(open_page: Open, pretrained: Stored, space: Workspace) -> None:
    app = open_page("runs", run=pretrained.run_id)
    target = next(box for box in app.selectbox if box.label == "Target")
    assert set(target.options) == {"approved", "same"}
    next(box for box in app.text_input if box.label == "Labelled rows").input("60, 30")
    next(box for box in app.number_input if box.label == "Seeds").set_value(2)
    app = press(app, "Measure")
    (job,) = JobQueue(space).list()
    payload = WorthPayload.of(job.spec)
    assert payload.budgets == (30, 60)
    assert payload.n_seeds == 2
    assert payload.schema is not None
    assert [item.name for item in payload.schema.targets] == ["approved"]
    assert "Stop" in {button.label for button in app.button}
    assert "Measure" not in {button.label for button in app.button}


@pytest.mark.parametrize("text", ["", "many", "100; x", "-5", "9" * 400, "1.5"])
def test_budgets_that_are_no_numbers_are_one_sentence(
    open_page: Open, pretrained: Stored, space: Workspace, text: str
) -> None:
    app = open_page("runs", run=pretrained.run_id)
    next(box for box in app.text_input if box.label == "Labelled rows").input(text)
    app = press(app, "Measure")
    assert len(app.error) == 1
    assert "rows" in app.error[0].value
    assert JobQueue(space).list() == ()
    with pytest.raises(UserError):
        pretraining_worth.parse_budgets(text)


def test_a_pretraining_that_read_everything_says_why_it_cannot_be_judged(
    open_page: Open, pretrained: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = {"age", "job", "member", "joined", "approved", "same"}
    monkeypatch.setattr(data_access, "columns_read", lambda run_id: frozenset(every))
    app = open_page("runs", run=pretrained.run_id)
    assert "read every column" in texts(app)
    assert "Measure" not in {button.label for button in app.button}


def test_what_pretraining_was_worth_is_shown_with_its_seeds(
    open_page: Open, pretrained: Stored, space: Workspace
) -> None:
    add_worth(space, pretrained, measured())
    app = open_page("runs", run=pretrained.run_id)
    drawn = " ".join(figure["layout"]["title"]["text"] for figure in figures(app).values())
    assert "AUC by labelled rows" in drawn
    assert "What pretraining changed" in drawn
    said = texts(app).replace("\\", "")
    assert "over 3 seeds" in said
    assert "With 100 labelled rows the AUC was 0.822" in said
    assert "on 40 test rows" in said
    assert "<b>x" not in texts(app)


@pytest.mark.parametrize(
    ("metric", "seeds", "words"),
    [("auc", 3, "so it helped"), ("rmse", 3, "so it did harm"), ("auc", 1, "from one seed")],
)
def test_the_difference_is_judged_with_its_interval(metric: str, seeds: int, words: str) -> None:
    for sentence in pretraining_worth.sentences(measured(metric, seeds=seeds)):
        assert words in sentence


def test_a_difference_that_may_be_chance_is_called_so() -> None:
    import dataclasses

    worth = measured()
    noisy = [dataclasses.replace(record, without=0.8 + 0.05 * record.seed) for record in worth.records]
    for sentence in pretraining_worth.sentences(dataclasses.replace(worth, records=tuple(noisy))):
        assert "which may be chance" in sentence


def test_a_stopped_pretraining_is_called_by_its_name(
    open_page: Open, add_table: Callable[..., str], space: Workspace
) -> None:
    queue = JobQueue(space)
    job_id = queue.submit(PretrainPayload(dataset_id=add_table(), title="P").to_spec("run-1"))
    queue.claim(job_id).cancelled()
    assert "This pretraining was stopped" in texts(open_page("train", job=job_id))


def test_a_pretraining_is_shown_without_torch(pretrained: Stored) -> None:
    program = (
        "import sys\n"
        "from streamlit.testing.v1 import AppTest\n"
        "app = AppTest.from_file('app.py', default_timeout=60).run()\n"
        "app.switch_page('pages/runs.py').run()\n"
        "assert not app.exception, app.exception\n"
        "print({'torch', 'shap', 'sklearn'} & set(sys.modules))\n"
    )
    result = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout.strip().endswith("set()")
