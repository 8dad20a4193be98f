"""The page of groups: what is asked for is queued, what was measured is shown, and other choices are said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages._ui import data_access, explain_access
from tabnet_engine.config import AuditConfig
from tabnet_engine.explain.groups.audit import GroupAudit
from tabnet_engine.explain.groups.stored import load_group_audits
from tabnet_engine.jobs.auditing import MeasuredGroups, measure_groups, store_groups
from tabnet_engine.jobs.queue import JobQueue
from tabnet_engine.jobs.spec import AuditPayload
from tabnet_engine.runs.workspace import Workspace
from tests.pages.conftest import Stored, checked, texts
from tests.pages.explained import figures, install

Open = Callable[..., AppTest]
pytestmark = pytest.mark.usefixtures("no_process")
BY_JOB = AuditConfig(column="job", target="approved", favourable="yes", cutoff=0.5)


def box(app: AppTest, label: str):
    return next(item for item in app.selectbox if item.label == label)


def press(app: AppTest, label: str) -> AppTest:
    next(button for button in app.button if button.label == label).click()
    return checked(app.run())


@pytest.fixture(scope="module")
def by_job(trained: tuple[Path, Stored]) -> MeasuredGroups:
    space = Workspace.open(trained[0])
    try:
        return measure_groups(space.run(trained[1].run_id), space.load_frame(trained[1].dataset_id), BY_JOB)
    finally:
        space.close()


@pytest.fixture
def measured(with_run: Stored, space: Workspace, by_job: MeasuredGroups) -> GroupAudit:
    """The run of the test holds a comparison of the groups of "job"."""
    return load_group_audits(store_groups(space.run(with_run.run_id), by_job))[0]


def titles(app: AppTest) -> str:
    return " ".join(figure["layout"]["title"]["text"] for figure in figures(app).values())


def test_groups_that_were_not_compared_are_offered_and_queued_once_as_chosen(
    open_page: Open, with_run: Stored, space: Workspace
) -> None:
    app = open_page("groups", run=with_run.run_id, group="age", ranges="3", cutoff="0.3")
    assert box(app, "Protected column").options[0] == "age"  # often protected, so it comes first
    assert "approved" not in box(app, "Protected column").options
    assert "have not been compared yet" in texts(app)
    assert not app.get("plotly_chart")
    press(app, "Compare the groups")
    (job,) = JobQueue(space).list()
    config = AuditConfig.from_mapping(AuditPayload.of(job.spec).settings)
    wanted = AuditConfig(column="age", target="approved", favourable="yes", cutoff=0.3, n_ranges=3)
    assert config == wanted
    assert job.spec.title == "Compare groups of First try"
    assert next(button for button in app.button if button.label == "Compare the groups").disabled


def test_what_was_measured_is_said_first_and_drawn(open_page: Open, with_run: Stored, measured: GroupAudit) -> None:
    app = open_page("groups", run=with_run.run_id, group="job")
    said = texts(app).replace("\\", "")
    for sentence in measured.sentences:
        assert sentence in said
    assert "Selected means that the probability of yes is at least 0.5." in said
    assert {metric.label: metric.value for metric in app.metric}["Groups"] == str(len(measured.groups))
    assert "Selection rate by group" in titles(app)
    assert "Selected without a favourable outcome" in titles(app)
    drawn = next(item for item in figures(app).values() if "Selection rate" in item["layout"]["title"]["text"])
    points = [x for trace in drawn["data"] for x in trace["x"]]
    assert sorted(points) == sorted(100 * group.measures["selection_rate"].value for group in measured.groups)


@pytest.mark.parametrize(
    ("view", "found"),
    [
        ("performance", "AUC by group"),
        ("calibration", "Calibration error by group"),
        ("explanations", "Mean push of each column by group"),
        ("proxies", "Which columns give job away"),
    ],
)
def test_each_view_draws_its_part(
    open_page: Open, with_run: Stored, measured: GroupAudit, view: str, found: str
) -> None:
    app = open_page("groups", run=with_run.run_id, group="job", view=view)
    assert found in titles(app)
    assert app.query_params["view"] in (view, [view])
    assert measured.note in texts(app).replace("\\", "")


def test_the_table_has_every_number(open_page: Open, with_run: Stored, measured: GroupAudit) -> None:
    app = open_page("groups", run=with_run.run_id, group="job", view="table")
    (table,) = app.dataframe
    assert list(table.value["value"].dropna()) == list(measured.table()["value"].dropna())


def test_other_choices_than_those_measured_are_said_with_the_way_to_measure_them(
    open_page: Open, with_run: Stored, measured: GroupAudit, space: Workspace
) -> None:
    app = open_page("groups", run=with_run.run_id, group="job")
    assert "other choices" not in texts(app)
    box(app, "Favourable outcome").set_value("0")
    checked(app.run())
    said = texts(app).replace("\\", "")
    assert "measured with other choices than those above" in said
    assert "the probability of yes is at least 0.5" in said
    press(app, "Measure with these choices")
    (job,) = JobQueue(space).list()
    assert AuditPayload.of(job.spec).settings["favourable"] == "no"


def test_no_one_is_said_to_be_selected_where_nothing_is_favourable(open_page: Open, workspace_root: Path) -> None:
    stored = install("price", workspace_root)
    run = data_access.run(stored.run_id)
    frame = explain_access.frame(run)
    assert frame is not None
    store_groups(run, measure_groups(run, frame, AuditConfig(column="colour", target="price")))
    app = open_page("groups", run=stored.run_id, group="colour", view="selection")
    assert "Nothing says yet which outcome is favourable" in texts(app)
    app = open_page("groups", run=stored.run_id, group="colour", cutoff="many")
    assert "the cutoff must be a number" in app.error[0].value.replace("\\", "").lower()


def test_two_columns_are_crossed_and_have_no_proxies(open_page: Open, with_run: Stored, space: Workspace) -> None:
    run = space.run(with_run.run_id)
    crossed = AuditConfig(column="job", crossed_with="member", target="approved", favourable="yes", cutoff=0.5)
    store_groups(run, measure_groups(run, space.load_frame(with_run.dataset_id), crossed))
    app = open_page("groups", run=with_run.run_id, group="job", cross="member", view="proxies")
    assert "one column at a time" in texts(app)
    assert "other choices" not in texts(app)


def test_without_its_table_a_run_says_what_to_do(
    open_page: Open, with_run: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_access, "dataset_names", dict)
    app = open_page("groups", run=with_run.run_id)
    assert "add the same file again" in texts(app)
    assert not app.button


def test_without_a_run_the_page_leads_to_one(open_page: Open) -> None:
    assert "No run yet" in texts(open_page("groups"))
