"""The page of reports: what is asked for is queued as chosen, what was made is reviewed and signed, nothing is lost."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from pages._ui import data_access, explain_access
from tabnet_engine.config import ReportConfig
from tabnet_engine.config.stated import ConsumerScore, Organisation
from tabnet_engine.explain import store
from tabnet_engine.explain.groups.decision import Decision
from tabnet_engine.report.desk import Desk
from tabnet_engine.report.register import ReportRegister
from tabnet_engine.runs.workspace import Workspace
from tests.pages.conftest import Stored, checked, texts
from tests.pages.explained import install
from tests.pages.reported import HOSTILE, button, keep_report, press, queued, said

Open = Callable[..., AppTest]
pytestmark = pytest.mark.usefixtures("no_process")
LETTER_OF_A_ROW = {"view": "new", "kind": "notice", "part": "several"}


def not_approved(run_id: str, **decision: Any) -> set[int]:
    """The oracle: rows whose stored logits do not reach the cutoff."""
    run = data_access.run(run_id)
    masks = store.load_masks(run)
    found = Decision.of(run.codec, **decision)
    assert found is not None
    return set(masks.rows[~found.selected(run.codec, np.asarray(masks.logits, dtype=np.float64))].tolist())


def state_who_decides(root: Path) -> None:
    stated = Organisation(name="North Bank", address="1 High Street", agency="The authority")
    Desk(root / "desk").save_organisation(stated)


def test_a_report_on_a_row_is_queued_as_chosen_and_once(open_page: Open, with_run: Stored, space: Workspace) -> None:
    app = open_page(
        "report",
        run=with_run.run_id,
        row="7",
        profile="internal_model_risk",
        written="zh",
        favourable="1",
        cutoff="0.3",
    )
    (protected,) = [item for item in app.multiselect if item.label == "Protected columns"]
    assert protected.value == ["age"]  # often protected, so it is there to start from
    assert "approved" not in protected.options
    press(app, "Make the report")
    payload = queued(space)
    wanted = ReportConfig(
        profile="internal_model_risk", language="zh", target="approved", favourable="yes", cutoff=0.3,
        protected=("age",),
    )  # fmt: skip
    assert payload.settings == wanted
    assert (payload.rows, payload.is_single, payload.dataset_id) == ((7,), True, with_run.dataset_id)
    assert payload.title == "Decision report of First try"
    assert button(app, "Make the report").disabled  # while it works


def test_an_outcome_that_nobody_chose_is_not_written_into_the_report(
    open_page: Open, with_run: Stored, space: Workspace
) -> None:
    app = open_page("report", run=with_run.run_id, row="0")
    assert next(item for item in app.selectbox if item.label == "Favourable outcome").options[0] == "yes, by its name"
    press(app, "Make the report")
    assert queued(space).settings.favourable == ""


@pytest.mark.parametrize("cutoff", ["0.2", "0.6"])
def test_several_rows_are_the_declined_ones_that_meet_the_condition(
    open_page: Open, with_run: Stored, space: Workspace, workspace_root: Path, cutoff: str
) -> None:
    state_who_decides(workspace_root)
    declined = not_approved(with_run.run_id, cutoff=float(cutoff))
    ids = {"run": with_run.run_id, "where": "job = nurse", "cutoff": cutoff, "form": "html"}
    app = open_page("report", **LETTER_OF_A_ROW, **ids)
    table = explain_access.frame(data_access.run(with_run.run_id))
    assert table is not None
    wanted = sorted(declined & set(np.flatnonzero(table["job"] == "nurse").tolist()))
    label = "Make 1 report" if len(wanted) == 1 else f"Make {len(wanted)} reports"
    if not wanted:
        assert button(app, "Make 0 reports").disabled
        return
    press(app, label)
    payload = queued(space)
    assert list(payload.rows) == wanted
    assert (payload.is_single, payload.form, payload.settings.kind) == (False, "html", "notice")


def test_where_a_row_stands_is_said_before_anything_is_made(open_page: Open, with_run: Stored) -> None:
    declined = not_approved(with_run.run_id, cutoff=0.5)
    for row in {min(declined, default=0), min(set(range(120)) - declined, default=0)}:
        app = open_page("report", run=with_run.run_id, row=str(row))
        stands = "declined" if row in declined else "approved"
        assert f"At this cutoff row {row} is {stands}." in said(app)


def test_what_a_letter_lacks_is_said_before_a_job_with_the_way_there_and_back(
    open_page: Open, with_run: Stored, workspace_root: Path
) -> None:
    row = min(not_approved(with_run.run_id, cutoff=0.5))
    asked = {"run": with_run.run_id, "kind": "notice", "row": str(row)}
    app = open_page("report", **asked)
    assert "nobody has stated this yet: Name of the organisation, Address of the organisation" in said(app)
    assert button(app, "Make the report").disabled
    press(app, "State it under “Who decides”")
    assert "It stands in every letter" in said(app)
    state_who_decides(workspace_root)
    app.button_group[0].set_value("new")
    app.run()
    assert not button(app, "Make the report").disabled  # on the same row, for the same kind
    assert {key: app.query_params[key] for key in asked} == asked


def test_a_letter_without_the_score_that_is_used_is_said_before_a_job(
    open_page: Open, with_run: Stored, workspace_root: Path
) -> None:
    state_who_decides(workspace_root)
    desk, row = Desk(workspace_root / "desk"), min(not_approved(with_run.run_id, cutoff=0.5))
    score = ConsumerScore(use="column", column=data_access.run(with_run.run_id).schema.feature_names[0])
    desk.save_organisation(desk.organisation().replace(contact="0800 1"))
    desk.save_consumer_score(with_run.run_id, score)
    letter = desk.template("us_adverse_action", "en").replace("{{consumer_score}}", "")
    desk.save_template("us_adverse_action", "en", letter)
    for profile, is_asked in (("us_adverse_action", True), ("eu_ai_act", False)):
        app = open_page("report", run=with_run.run_id, kind="notice", row=str(row), profile=profile)
        assert ("it lacks the field {{consumer_score}}" in said(app)) == is_asked
        assert button(app, "Make the report").disabled == is_asked
    press(open_page("report", run=with_run.run_id, kind="notice", row=str(row)), "Add it to the letter")


def test_no_letter_is_begun_about_an_approved_row(open_page: Open, with_run: Stored, workspace_root: Path) -> None:
    state_who_decides(workspace_root)
    row = min(set(range(120)) - not_approved(with_run.run_id, cutoff=0.5))
    app = open_page("report", run=with_run.run_id, kind="notice", row=str(row))
    assert "goes to a declined row" in said(app)
    assert button(app, "Make the report").disabled


def test_a_quantity_needs_its_cutoff(open_page: Open, workspace_root: Path) -> None:
    stored = install("price", workspace_root)
    app = open_page("report", run=stored.run_id)
    assert "type the cutoff" in said(app)
    assert button(app, "Make the report").disabled
    app = open_page("report", run=stored.run_id, cutoff="20")
    assert not button(app, "Make the report").disabled
    app = open_page("report", run=stored.run_id, cutoff="many")
    assert "the cutoff must be a number" in app.error[0].value.replace("\\", "").lower()


def test_of_several_classes_one_must_be_chosen_as_favourable(open_page: Open, workspace_root: Path) -> None:
    stored = install("grape", workspace_root)
    app = open_page("report", run=stored.run_id)
    assert "choose the favourable outcome" in said(app)
    assert button(app, "Make the report").disabled
    app = open_page("report", run=stored.run_id, row="0", favourable="1")  # its name is markup
    assert not button(app, "Make the report").disabled
    assert any(f"At this cutoff row 0 is {stands}." in said(app) for stands in ("approved", "declined"))


def test_a_comparison_without_a_second_run_leads_to_a_training(open_page: Open, with_run: Stored) -> None:
    app = open_page("report", run=with_run.run_id, kind="comparison")
    assert "One run only" in texts(app)
    assert not any(item.label == "Make the report" for item in app.button)


def test_without_its_table_a_run_has_a_model_report_alone(
    open_page: Open, with_run: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explain_access, "frame", lambda run: None)
    app = open_page("report", run=with_run.run_id)
    assert "is not in this workspace any more" in said(app)
    app = open_page("report", run=with_run.run_id, kind="model")
    assert not button(app, "Make the report").disabled


def test_without_a_run_the_page_leads_to_one_and_the_history_is_empty(open_page: Open) -> None:
    assert "No run yet" in texts(open_page("report"))
    assert "No report was made yet" in texts(open_page("report", view="history"))


def test_what_blocks_a_report_comes_first_and_it_can_be_reviewed_but_not_signed(
    open_page: Open, with_run: Stored, workspace_root: Path
) -> None:
    record = keep_report(workspace_root, run_id=with_run.run_id, blocked=(f"It rests on age. {HOSTILE}",))
    app = open_page("report", run=with_run.run_id, row="3")
    assert HOSTILE in app.error[0].value.replace("\\", "").replace("\u2060", "")
    assert record.case_id in said(app)
    take_review(app, "Ada", "Seen, and stopped.")
    assert "Reviewed by Ada" in said(app)
    assert not any(item.label == "Sign this report" for item in app.button)
    with pytest.raises(Exception, match="blocked"):
        ReportRegister(workspace_root / "reports").sign(record.case_id, "Ada")


def take_review(app: AppTest, name: str, comment: str) -> AppTest:
    box = next(item for item in app.text_input if str(item.key).startswith("reviewer_"))
    box.set_value(name)
    next(item for item in app.text_area if item.label == "Comment").set_value(comment)
    return press(app, "Record the review")


def test_a_report_is_reviewed_then_signed_and_then_stays(
    open_page: Open, with_run: Stored, workspace_root: Path
) -> None:
    record = keep_report(workspace_root, run_id=with_run.run_id)
    app = open_page("report", view="history", case=record.case_id)
    take_review(app, "Ada", "Read and compared.")
    register = ReportRegister(workspace_root / "reports")
    assert register.get(record.case_id).state == "reviewed"
    press(app, "Sign this report")
    assert register.get(record.case_id).state == "signed"
    assert register.get(record.case_id).review[-1].name == "Ada"  # remembered from the review
    assert "cannot change" in said(app)
    assert not [item for item in app.button if item.label in ("Record the review", "Delete this draft")]
    app.button(key="verify_log").click()
    checked(app.run())
    assert "3 lines, nothing is wrong" in said(app)


def test_a_review_without_a_name_is_answered_by_a_sentence(
    open_page: Open, with_run: Stored, workspace_root: Path
) -> None:
    record = keep_report(workspace_root, run_id=with_run.run_id)
    app = press(open_page("report", view="history", case=record.case_id), "Record the review")
    assert "the name is empty" in said(app).lower()
    assert button(app, "Delete this draft")  # and the report with its other steps stays on the page
    assert ReportRegister(workspace_root / "reports").get(record.case_id).state == "draft"


def test_a_draft_can_be_deleted_and_the_log_remembers(open_page: Open, with_run: Stored, workspace_root: Path) -> None:
    record = keep_report(workspace_root, run_id=with_run.run_id, unmet=("Not stated: the address.",))
    app = open_page("report", view="history", case=record.case_id)
    assert "Not stated: the address." in said(app)
    press(app, "Delete this draft")
    register = ReportRegister(workspace_root / "reports")
    assert register.list() == ()
    assert [line.action for line in register.log.lines()] == ["draft", "deleted"]
    assert "No report was made yet" in said(app)


def test_the_history_is_filtered_and_a_damaged_report_says_so(
    open_page: Open, with_run: Stored, workspace_root: Path
) -> None:
    for number, kind in enumerate(("decision", "notice", "model")):
        keep_report(workspace_root, case=f"C-{number}", run_id=with_run.run_id, kind=kind)
    app = open_page("report", view="history")
    assert sorted(app.dataframe[0].value["case"]) == ["C-0", "C-1", "C-2"]
    app = open_page("report", view="history", of_kind="notice")
    assert list(app.dataframe[0].value["case"]) == ["C-1"]
    (workspace_root / "reports" / "cases" / "C-1" / "record.json").write_text("{}")
    app = open_page("report", view="history", case="C-1")
    assert "damaged" in said(app)
    assert "Damaged" in list(app.dataframe[0].value["state"])
    assert "is not in this workspace" in said(open_page("report", view="history", case="C-9"))


def test_the_preview_runs_nothing_and_reaches_nowhere(open_page: Open, with_run: Stored, workspace_root: Path) -> None:
    record = keep_report(workspace_root, run_id=with_run.run_id)
    app = open_page("report", view="history", case=record.case_id)
    (frame,) = app.get("iframe")
    inner = re.search(r'<iframe sandbox="" [^>]*srcdoc="([^"]*)"', frame.proto.srcdoc)
    assert inner is not None, "nothing is allowed in the inner frame"
    page = html.unescape(inner[1])
    assert "default-src 'none'" in html.unescape(page)
    assert html.escape(HOSTILE, quote=False) in page
    assert "<b>bold" not in page
    assert "<script" not in page


def test_a_comparison_names_the_champion(
    open_page: Open, with_run: Stored, space: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = {with_run.run_id: "First try", "20261121-000000-00000001": "In use"}
    monkeypatch.setattr(data_access, "run_names", lambda: names)
    press(open_page("report", run=with_run.run_id, kind="comparison"), "Make the report")
    payload = queued(space)
    assert payload.baseline_run_id == "20261121-000000-00000001"
    assert (payload.settings.kind, payload.rows) == ("comparison", ())


def test_what_counts_as_approved_in_a_comparison_is_chosen_for_both_runs(
    open_page: Open, with_run: Stored, space: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = {with_run.run_id: "First try", "20261121-000000-00000001": "In use"}
    monkeypatch.setattr(data_access, "run_names", lambda: names)
    asked = {"favourable": "1", "cutoff": "0.3", "champion_cutoff": "0.45"}
    app = open_page("report", run=with_run.run_id, kind="comparison", **asked)
    press(app, "Make the report")
    settings = queued(space).settings
    assert (settings.favourable, settings.cutoff, settings.baseline_cutoff) == ("yes", 0.3, 0.45)
    assert {key: app.query_params[key] for key in asked} == asked
    wrong = open_page("report", run=with_run.run_id, kind="comparison", champion_cutoff="1.5")
    assert "The cutoff is a probability between 0 and 1, got 1.5" in said(wrong)
    assert "Make the report" not in [item.label for item in wrong.button]


def test_a_report_that_is_changed_while_it_is_shown_is_shown_no_more(
    open_page: Open, with_run: Stored, space: Workspace
) -> None:
    record = keep_report(space.root, run_id=with_run.run_id)
    app = open_page("report", view="history", case=record.case_id)
    assert "was changed after it was kept" not in said(app)
    path = space.root / "reports" / "cases" / record.case_id / "document.json"
    path.write_bytes(path.read_bytes().replace(b"declined", b"approved"))
    assert "was changed after it was kept" in said(checked(app.run()))


def test_a_verdict_stays_until_the_log_changes_and_a_press_is_not_lost(
    open_page: Open, with_run: Stored, workspace_root: Path
) -> None:
    record = keep_report(workspace_root, run_id=with_run.run_id)
    app = open_page("report", view="history", case=record.case_id)
    app.session_state["verdicts_wanted"] = {"verify_log": True}  # pressed, and the page ran anew before it was done
    assert "1 line, nothing is wrong" in said(checked(app.run()))
    assert "1 line, nothing is wrong" in said(checked(app.run()))
    take_review(app, "Ada", "Read and compared.")
    assert "nothing is wrong" not in said(app)
