"""What an analyst let change on the page of one decision is what a report's proposals may change."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qs

import pytest
from streamlit.testing.v1 import AppTest

from tabnet_engine.jobs.queue import JobQueue
from tabnet_engine.jobs.report_spec import ReportPayload
from tabnet_engine.runs.workspace import Workspace
from tests.pages.conftest import Stored, checked

Open = Callable[..., AppTest]
pytestmark = pytest.mark.usefixtures("no_process")
LIMITS = {"fixed": "job", "up": "age", "down": "joined~member", "changes": "5"}


def test_the_limits_of_the_address_are_those_of_the_report(open_page: Open, with_run: Stored, space: Workspace) -> None:
    app = open_page("report", run=with_run.run_id, row="7", **LIMITS)
    offered = next(item for item in app.multiselect if item.label == "May only go up").options
    assert set(offered) == {"age", "member", "joined"}  # what stays and what has no order is not offered
    next(item for item in app.button if item.label == "Make the report").click()
    checked(app.run())
    (job,) = JobQueue(space).list()
    asked = ReportPayload.of(job.spec).settings
    assert (asked.fixed, asked.rising, asked.falling) == (("job",), ("age",), ("joined", "member"))
    assert asked.max_changes == 5


@pytest.mark.parametrize("further", [{"view": "counterfactual", "find": "1"}, {}])
def test_the_link_to_the_report_carries_the_limits(open_page: Open, with_run: Stored, further: dict[str, str]) -> None:
    app = open_page("decision", run=with_run.run_id, row="3", **LIMITS, **further)
    (link,) = [link for link in app.get("page_link") if link.proto.label == "Report on this row"]
    carried = {name: value for name, (value,) in parse_qs(link.proto.query_string).items()}
    assert carried == {"run": with_run.run_id, "row": "3", **LIMITS}
