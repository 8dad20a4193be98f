"""The tables page: bring a table, correct how it was read, say what its columns are."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from pages._ui import dataset_columns, state, widgets
from pages._ui.dataset_columns import apply_edits
from tabnet_engine.data.kinds import propose_schema
from tabnet_engine.data.schema import Kind, Role, Task
from tabnet_engine.errors import SchemaError
from tabnet_engine.runs.workspace import Workspace
from tests.pages.conftest import ROOT, applicants, checked, texts

Open = Callable[..., AppTest]
VIEWS = ("Preview", "Columns", "Profile", "Reading")
HOSTILE = ["<b>x</b>", "$x$", "![](http://evil.example/x.png)", "[l](http://evil.example)", "🚀 :red[y]", "a`b"]


def upload(app: AppTest, name: str, content: bytes) -> AppTest:
    app.file_uploader[0].set_value((name, content, "text/csv"))
    return checked(app.run())


def view(app: AppTest, name: str) -> AppTest:
    app.segmented_control[0].set_value(name)
    return checked(app.run())


def hostile_table() -> pd.DataFrame:
    frame = applicants(60)
    frame.columns = pd.Index(HOSTILE[:5])
    frame[HOSTILE[1]] = [HOSTILE[index % 3] for index in range(60)]
    return frame


def test_an_empty_workspace_offers_the_ways_to_bring_a_table(open_page: Open) -> None:
    app = open_page("dataset")
    assert app.file_uploader
    assert {button.label for button in app.button} >= {"Credit applications", "Breast cancer", "Diabetes"}


def test_an_upload_is_kept_shown_and_read_only_once(
    open_page: Open, space: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = upload(open_page("dataset"), "people.csv", applicants().to_csv(index=False).encode())
    (info,) = space.list_datasets()
    assert (info.name, info.n_rows) == ("people.csv", 120)
    assert app.query_params["dataset"] == info.dataset_id
    assert len(app.dataframe) == 1

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the file was read again")

    monkeypatch.setattr("pages._ui.intake.read_table_isolated", refuse)
    checked(app.run())
    checked(app.run())


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.csv", b""),
        ("header.csv", b"a,b,c\n"),
        ("picture.csv", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8),
        ("ragged.csv", b"a,b\n1,2\n3,4\n5,6,7\n" + b"1,2\n" * 20),
    ],
)
def test_a_bad_file_is_one_sentence_and_leaves_the_others_alone(
    open_page: Open, add_table: Callable[..., str], space: Workspace, name: str, content: bytes
) -> None:
    kept = add_table()
    app = upload(open_page("dataset", dataset=kept), name, content)
    assert len(app.error) == 1
    assert "Traceback" not in app.error[0].value
    assert [info.dataset_id for info in space.list_datasets()] == [kept]
    assert not checked(app.run()).error


def test_a_sample_comes_with_its_target(open_page: Open, space: Workspace) -> None:
    app = open_page("dataset")
    next(button for button in app.button if button.label == "Diabetes").click()
    checked(app.run())
    (info,) = space.list_datasets()
    schema = space.load_schema(info.dataset_id)
    assert schema is not None
    assert schema.target is not None
    assert schema.task is Task.REGRESSION


def test_every_view_draws_and_opens_by_its_address(open_page: Open, add_table: Callable[..., str]) -> None:
    dataset_id = add_table(target="approved")
    app = open_page("dataset", dataset=dataset_id)
    for name in VIEWS:
        view(app, name)
    app = open_page("dataset", dataset=dataset_id, view="Profile")
    assert app.segmented_control[0].value == "Profile"
    assert len(app.get("plotly_chart")) >= 3


def test_choosing_a_target_finds_the_task(open_page: Open, add_table: Callable[..., str], space: Workspace) -> None:
    dataset_id = add_table()
    app = open_page("dataset", dataset=dataset_id)
    assert "Choose the column to predict" in texts(app)
    next(box for box in app.selectbox if box.label == "Column to predict").select("approved")
    checked(app.run())
    schema = space.load_schema(dataset_id)
    assert schema is not None
    assert schema.task is Task.BINARY
    assert schema.classes == ("no", "yes")
    next(box for box in app.selectbox if box.label == "Positive class").select("no")
    checked(app.run())
    schema = space.load_schema(dataset_id)
    assert schema is not None
    assert schema.classes == ("yes", "no")


def test_a_task_that_does_not_fit_says_why_and_changes_nothing(
    open_page: Open, add_table: Callable[..., str], space: Workspace
) -> None:
    dataset_id = add_table(target="approved")
    before = space.load_schema(dataset_id)
    app = open_page("dataset", dataset=dataset_id)
    next(box for box in app.selectbox if box.label == "Task").select(Task.REGRESSION)
    checked(app.run())
    assert len(app.error) == 1
    assert space.load_schema(dataset_id) == before


def test_reading_again_replaces_a_table_that_no_run_uses(
    open_page: Open, add_table: Callable[..., str], space: Workspace
) -> None:
    first = add_table(pd.DataFrame({"a": [1, -9, 3], "b": ["x", "y", "z"]}))
    app = view(open_page("dataset", dataset=first), "Reading")
    next(box for box in app.selectbox if box.label == "Column names come from").select("none")
    next(button for button in app.button if button.label == "Read the file again").click()
    checked(app.run())
    (info,) = space.list_datasets()
    assert info.dataset_id != first
    assert info.n_rows == 4
    assert app.query_params["dataset"] == info.dataset_id
    assert "read again" in texts(app)


def test_reading_again_in_a_wrong_way_keeps_the_table(
    open_page: Open, add_table: Callable[..., str], space: Workspace
) -> None:
    first = add_table()
    app = view(open_page("dataset", dataset=first), "Reading")
    next(box for box in app.text_input if box.label == "Quote sign").input(",")
    next(button for button in app.button if button.label == "Read the file again").click()
    checked(app.run())
    assert len(app.error) == 1
    assert [info.dataset_id for info in space.list_datasets()] == [first]


def test_another_sheet_of_a_workbook_can_be_read(open_page: Open, space: Workspace) -> None:
    buffer = io.BytesIO()
    with pd.ExcelWriter(buffer, engine="openpyxl") as writer:
        applicants(30).to_excel(writer, sheet_name="north", index=False)
        applicants(20).to_excel(writer, sheet_name="south", index=False)
    app = view(upload(open_page("dataset"), "regions.xlsx", buffer.getvalue()), "Reading")
    next(box for box in app.selectbox if box.label == "Sheet").select("south")
    next(button for button in app.button if button.label == "Read the file again").click()
    checked(app.run())
    (info,) = space.list_datasets()
    assert (info.n_rows, info.options["sheet"]) == (20, "south")


def test_a_table_is_deleted_after_a_confirmation(
    open_page: Open, add_table: Callable[..., str], space: Workspace
) -> None:
    app = open_page("dataset", dataset=add_table())
    next(button for button in app.button if button.label == "Delete this table").click()
    checked(app.run())
    assert space.list_datasets() == ()
    assert "was deleted" in texts(app)


def test_edits_of_kind_and_role_are_applied_in_order() -> None:
    frame = applicants()
    schema = propose_schema(frame)
    changed = apply_edits(schema, frame, {0: {"kind": "category", "role": "ignored"}, 1: {"role": "row id"}})
    assert changed.column("age").kind is Kind.CATEGORY
    assert changed.column("age").role is Role.IGNORED
    assert changed.column("job").role is Role.ROW_ID
    with pytest.raises(SchemaError, match="job"):
        apply_edits(schema, frame, {1: {"kind": "number"}})


def test_an_edit_in_the_table_is_stored_and_an_impossible_one_is_told(
    add_table: Callable[..., str], space: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset_id = add_table()
    session: dict[str, Any] = {"editor": {"edited_rows": {0: {"role": "ignored"}}}}
    monkeypatch.setattr(st, "session_state", session)
    dataset_columns._store_edits("editor", dataset_id)
    schema = space.load_schema(dataset_id)
    assert schema is not None
    assert schema.column("age").role is Role.IGNORED
    session["editor"] = {"edited_rows": {1: {"kind": "number"}}}
    dataset_columns._store_edits("editor", dataset_id)
    assert space.load_schema(dataset_id) == schema
    ((kind, text),) = state.take_notices()
    assert kind == "error"
    assert "job" in text


def test_warnings_come_first_in_plain_words(open_page: Open, add_table: Callable[..., str]) -> None:
    frame = applicants()
    frame["code"] = [f"C-{row:05d}" for row in range(len(frame))]
    frame["same"] = 1
    frame["amount"] = np.arange(len(frame)) * 1.5 + 0.25
    frame["twice"] = frame["amount"] * 2
    app = open_page("dataset", dataset=add_table(frame, target="amount"), view="Profile")
    assert "What to look at before training" in texts(app)
    assert "twice" in texts(app)
    next(box for box in app.selectbox if box.label == "Look at one column").select("code")
    assert "C\\-00000" not in texts(checked(app.run()))
    assert "For example: C-00000" in texts(app)
    next(box for box in app.selectbox if box.label == "Look at one column").select("job")
    checked(app.run())
    assert "Mean" not in {metric.label for metric in app.metric}


@pytest.mark.parametrize("name", VIEWS)
def test_hostile_names_and_values_are_shown_as_text(open_page: Open, add_table: Callable[..., str], name: str) -> None:
    dataset_id = add_table(hostile_table(), name="![](http://evil.example/n.png).csv", target=HOSTILE[4])
    app = view(open_page("dataset", dataset=dataset_id), name)
    for element in (*app.markdown, *app.caption, *app.error, *app.info, *app.success, *app.metric):
        shown = f"{element.value} {getattr(element, 'label', '')}"
        assert "](http" not in shown
        assert "<b>" not in shown
        assert "$x$" not in shown
    for chart in app.get("plotly_chart"):
        assert "<b>x</b>" not in chart.proto.spec.replace("\\u003c", "<")
        assert "$x$" not in chart.proto.spec


def test_escaped_text_has_no_live_markdown() -> None:
    for text in [*HOSTILE, "www.evil.example", "a@evil.example", "1. x", "-> --"]:
        escaped = widgets.md(text)
        assert "](http" not in escaped
        assert "www." not in escaped
        assert "http://" not in escaped
    assert widgets.as_sentence("the age is old") == "The age is old\\."
    assert widgets.as_sentence("n_steps is 0") == "n\\_steps is 0\\."
    assert widgets.as_sentence("income is high!", capital=False) == "income is high\\!"


def test_the_first_pages_appear_without_the_heavy_libraries() -> None:
    program = (
        "import sys\n"
        "from streamlit.testing.v1 import AppTest\n"
        "app = AppTest.from_file('app.py', default_timeout=60).run()\n"
        "for page in ('dataset', 'train', 'runs'):\n"
        "    app.switch_page(f'pages/{page}.py').run()\n"
        "assert not app.exception, app.exception\n"
        "print({'torch', 'shap', 'sklearn', 'captum'} & set(sys.modules))\n"
    )
    result = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout.strip().endswith("set()")
