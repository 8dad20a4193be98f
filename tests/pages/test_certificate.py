"""How far to trust a run's explanations: measured on request, shown with what useless explanations score."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from streamlit.testing.v1 import AppTest

from pages._ui import data_access
from tabnet_engine.config import CertifyConfig
from tabnet_engine.jobs.certifying import certify_run
from tabnet_engine.jobs.queue import JobQueue
from tabnet_engine.runs.workspace import Workspace
from tests.pages.conftest import Stored, checked, texts
from tests.pages.explained import figures

Open = Callable[..., AppTest]


def test_what_is_not_measured_yet_becomes_one_job(
    open_page: Open, with_run: Stored, workspace_root: Path, no_process: None
) -> None:
    app = open_page("shap_comparison", run=with_run.run_id, view="trust")
    assert "Nothing has been measured yet" in texts(app)
    app.number_input(key="certify_retrainings").set_value(2)
    app.button(key="certify").click()
    checked(app.run())
    (record,) = JobQueue(Workspace.open(workspace_root)).list()
    assert record.spec.kind == "certify"
    assert record.spec.payload["settings"] == {"n_retrainings": 2}
    assert app.button(key="certify").disabled


def test_figures_stand_beside_useless_explanations_and_gaps_are_named(open_page: Open, with_run: Stored) -> None:
    config = CertifyConfig(n_rows=6, n_stability_rows=4, n_repetitions=2, n_random_orders=2, n_retrainings=0)
    run = data_access.run(with_run.run_id)
    certify_run(run, None, config)
    app = open_page("shap_comparison", run=with_run.run_id, view="trust")
    said = texts(app).replace("\\", "")
    assert "figures are told apart" in said
    assert "Not measured" in said
    assert "retrain" in said or "seed" in said
    titles = [figure["layout"]["title"]["text"].replace("<br>", " ") for figure in figures(app).values()]
    assert [title.split(":")[0].removeprefix("<b>") for title in titles] == ["Deletion", "Insertion"]
    assert all("mean of 6 rows" in title for title in titles)
    tables = [table.value for table in app.table if "measured" in table.value]
    assert len(tables) >= 3
    for table in tables:
        assert table["measured"].str.len().all()
        useless = [name for name in table.columns if name.startswith("useless")]
        assert useless
        assert all(table[name].str.len().all() for name in useless)
        assert table["reading"].str.len().all()
        assert (table["rows"].astype(int) <= 6).all()


def test_without_the_table_nothing_is_trained_again(
    open_page: Open, with_run: Stored, workspace_root: Path, no_process: None
) -> None:
    Workspace.open(workspace_root).delete_dataset(with_run.dataset_id)
    app = open_page("shap_comparison", run=with_run.run_id, view="trust")
    assert "certify_retrainings" not in {field.key for field in app.number_input}
    app.button(key="certify").click()
    checked(app.run())
    (record,) = JobQueue(Workspace.open(workspace_root)).list()
    assert record.spec.dataset_id is None
