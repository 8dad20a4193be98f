"""A model imported from pytorch-tabnet: no table, no scores, no epochs, and every page still says what it can."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tabnet_engine.interop.pytorch_tabnet import import_run
from tabnet_engine.runs.workspace import Workspace
from tests.pages.conftest import ROOT, checked, texts

Open = Callable[..., AppTest]
FIXTURES = ROOT / "tests" / "interop" / "fixtures"


@pytest.fixture(params=["binary", "regression_several_outputs"])
def imported(request: pytest.FixtureRequest, space: Workspace) -> str:
    run_id, folder = space.new_run_folder()
    import_run(Path(FIXTURES / f"{request.param}.zip"), folder, title="From elsewhere")
    return run_id


@pytest.mark.parametrize("page", ["importance", "masks", "shap_comparison", "decision"])
def test_the_explaining_pages_say_why_there_is_nothing_to_explain(open_page: Open, imported: str, page: str) -> None:
    app = open_page(page, run=imported)
    assert "imported without a table" in texts(app)
    assert not app.button  # nothing that could only fail is offered


def test_the_runs_page_shows_it_without_scores_and_epochs(open_page: Open, imported: str) -> None:
    app = open_page("runs", run=imported)
    assert "This run has no scores" in texts(app)
    assert "No epochs are known" in texts(app)
    for view in ("Settings", "Origin"):
        app.segmented_control[0].set_value(view)
        checked(app.run())
    assert next(metric.value for metric in app.metric if metric.label == "Training rows") == "0"


def test_the_walkthrough_does_not_offer_to_resume_it(open_page: Open, imported: str) -> None:
    app = open_page("walkthrough")
    assert not any(button.label.startswith("Resume") for button in app.button)


def test_a_training_beside_it_is_not_timed_by_it(open_page: Open, imported: str, add_table: Callable[..., str]) -> None:
    app = open_page("train", dataset=add_table(target="approved"))
    assert "judging by" not in texts(app)
