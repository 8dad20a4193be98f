"""Two runs side by side, as a person compares them: which decisions changed, and one of them in each run."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tabnet_engine.data.kinds import propose_schema, set_target
from tabnet_engine.data.synthetic import credit_applications
from tabnet_engine.data.tables import read_table
from tabnet_engine.jobs.pipeline import Source, train_run
from tabnet_engine.runs.artefact import DatasetRef
from tabnet_engine.runs.workspace import Workspace
from tests.browser.driver import Server, visit
from tests.twin import twin_run

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

QUICK = {"max_epochs": 1, "n_steps": 2, "n_shap_rows": 4, "n_background": 3, "n_effect_columns": 0, "device": "cpu"}


@pytest.fixture
def two_runs(server: Server, tmp_path: Path) -> Iterator[list[str]]:
    """The served workspace holds a table and two runs of it; they are taken away again afterwards."""
    path = tmp_path / "compared.csv"
    frame, _ = credit_applications(n_rows=200, seed=9)
    frame[["debt_ratio", "missed_payments", "region", "decision"]].to_csv(path, index=False)
    space = Workspace.open(server.workspace)
    table = read_table(path, name="compared.csv")
    schema = set_target(propose_schema(table.frame), table.frame, "decision")
    info = space.add_dataset(table, path, schema=schema)
    run_id, folder = space.new_run_folder()
    reference = DatasetRef(info.sha256, info.name, info.n_rows, info.n_columns, info.dataset_id)
    frame = space.load_frame(info.dataset_id)
    train_run(Source(frame, schema, reference, info.options), folder, QUICK, title="Champion")
    twin_id, twin = space.new_run_folder()
    twin_run(space.run(run_id), twin, frame, title="Challenger", noise=2.0)
    yield [run_id, twin_id]
    for made in (folder, twin):
        shutil.rmtree(made)
    space.delete_dataset(info.dataset_id)
    space.close()


def test_two_runs_are_compared_down_to_one_decision(server: Server, browser: Browser, two_runs: list[str]):
    with visit(browser, server.url) as tab:
        tab.open(f"runs?run={two_runs[0]}")
        tab.page.get_by_role("radio", name="Compare", exact=True).click()
        tab.settle()
        tab.sees("On the same rows")
        tab.draws()
        tab.page.get_by_role("radio", name="Decisions", exact=True).click()
        tab.settle()
        tab.sees("are decided otherwise by Challenger")
        tab.page.get_by_text("Rows that a run learned from too").click()
        tab.settle()
        changed = tab.page.get_by_text(re.compile(r"of 200 rows are decided otherwise")).inner_text()
        address = tab.page.url.removeprefix(f"{tab.url}/")
        tab.has_no_failure()
        assert tab.outside == []

    with visit(browser, server.url) as again:  # the link restores what was seen
        again.open(address)
        expect(again.page.get_by_text(changed)).to_be_visible()
        link = again.page.get_by_role("link", name=re.compile(r"Row [\d,]+ in Challenger"))
        row = re.findall(r"Row ([\d,]+)", link.inner_text())[0].replace(",", "")
        link.click()
        expect(again.page.get_by_role("heading", level=1, name="One decision")).to_be_visible()
        again.settle()
        assert f"run={two_runs[1]}" in again.page.url
        assert f"row={row}" in again.page.url
        again.has_no_failure()
