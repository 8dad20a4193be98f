"""What people write for reports on their page: reason codes, letters, who decides, what a model is for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from pages._ui import data_access
from tabnet_engine.config.stated import ConsumerScore
from tabnet_engine.report.desk import Desk
from tabnet_engine.report.notice.template import FIELDS
from tabnet_engine.report.reason_codes import codes_to_csv, default_codes
from tests.pages.conftest import Stored, checked
from tests.pages.reported import HOSTILE, press, said

Open = Callable[..., AppTest]
pytestmark = pytest.mark.usefixtures("no_process")


def is_off(app: AppTest, label: str) -> bool:
    return bool(next(item for item in app.button if item.label == label).disabled)


@pytest.fixture
def desk(workspace_root: Path) -> Desk:
    return Desk(workspace_root / "desk")


@pytest.fixture
def edit(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Stand in for the hands that type into the table: cells by line and column, then what the table holds."""

    def typing(**cells: tuple[int, str]) -> None:
        def edited(table: pd.DataFrame, **_: Any) -> pd.DataFrame:
            table = table.copy()
            for column, (line, text) in cells.items():
                table.loc[line, column] = text
            return table

        monkeypatch.setattr(st, "data_editor", edited)

    return typing


def test_reason_codes_start_as_drafts_that_nobody_reviewed(open_page: Open, with_run: Stored, desk: Desk) -> None:
    app = open_page("report", view="codes", run=with_run.run_id)
    assert "These are drafts that the program wrote" in said(app)
    schema = data_access.run(with_run.run_id).schema
    press(app, "Save the reason codes")
    assert desk.codes(with_run.dataset_id, schema) == default_codes(schema)
    assert [version.n_reviewed for version in desk.codes_versions(with_run.dataset_id)] == [0]
    assert "These are drafts that the program wrote" not in said(app)
    assert is_off(app, "Save the reason codes")  # nothing to save any more


def test_a_mistake_in_a_line_is_named_and_nothing_is_saved(
    open_page: Open, with_run: Stored, desk: Desk, edit: Callable[..., None]
) -> None:
    edit(code=(1, "R001A"), when=(2, "often"))
    app = open_page("report", view="codes", run=with_run.run_id)
    assert "Line 2: the code 'R001A' stands twice" in said(app)
    assert "Line 3: the field 'when'" in said(app)
    assert is_off(app, "Save the reason codes")
    assert desk.codes_versions(with_run.dataset_id) == ()


def test_an_edited_sentence_is_saved_as_it_was_typed(
    open_page: Open, with_run: Stored, desk: Desk, edit: Callable[..., None]
) -> None:
    edit(text_en=(0, HOSTILE))
    app = open_page("report", view="codes", run=with_run.run_id)
    assert "changes that are not saved" in said(app)
    press(app, "Save the reason codes")
    schema = data_access.run(with_run.run_id).schema
    assert desk.codes(with_run.dataset_id, schema).codes[0].text_en == HOSTILE


def test_a_review_is_marked_with_name_and_day(open_page: Open, with_run: Stored, desk: Desk) -> None:
    schema = data_access.run(with_run.run_id).schema
    app = open_page("report", view="codes", run=with_run.run_id)
    press(app, "Mark them")
    assert "needs a name and at least one sentence" in said(app)
    next(item for item in app.text_input if item.label == "Reviewed by").set_value("Ada")
    next(item for item in app.multiselect if item.label == "Or only these").set_value(["R001A"])
    press(app, "Mark them")
    reviewed = [code for code in desk.codes(with_run.dataset_id, schema).codes if code.is_reviewed]
    assert [(code.code, code.reviewed_by) for code in reviewed] == [("R001A", "Ada")]
    assert {metric.label: metric.value for metric in app.metric}["Reviewed"] == "1"


def test_a_csv_is_taken_in_after_it_was_read(open_page: Open, with_run: Stored, desk: Desk) -> None:
    schema = data_access.run(with_run.run_id).schema
    content = codes_to_csv(default_codes(schema)).replace(b"R001A", b"X-1")
    app = open_page("report", view="codes", run=with_run.run_id)
    app.file_uploader[0].upload("codes.csv", content, "text/csv")
    checked(app.run())
    press(app, "Take them over")
    assert desk.codes(with_run.dataset_id, schema).codes[0].code == "X-1"


def test_a_csv_with_a_mistake_says_in_which_line(open_page: Open, with_run: Stored) -> None:
    app = open_page("report", view="codes", run=with_run.run_id)
    app.file_uploader[0].upload("codes.csv", b"code,column,when,text_en\r\nA,income,any,x\r\n", "text/csv")
    checked(app.run())
    assert "line 2: there is no column 'income'" in said(app)


def test_a_letter_is_checked_before_it_can_be_saved_and_can_be_set_back(
    open_page: Open, with_run: Stored, desk: Desk
) -> None:
    app = open_page("report", view="letter", run=with_run.run_id)
    original = app.text_area[0].value
    listed = str(app.table[0].value.to_numpy().tolist()).replace("\\", "")
    assert all(f"{{{{{name}}}}}" in listed for name in FIELDS)
    app.text_area[0].set_value(original + "\n\n{{salary}}")
    checked(app.run())
    assert "salary" in said(app)
    assert is_off(app, "Save the letter")
    app.text_area[0].set_value(f"{original}\n\nThank you. {HOSTILE}")
    press(checked(app.run()), "Save the letter")
    assert desk.template("us_adverse_action", "en").endswith(HOSTILE)
    press(app, "Back to the original")
    assert desk.template("us_adverse_action", "en") == original == app.text_area[0].value


def test_a_letter_is_shown_once_it_is_stated_who_decides(open_page: Open, with_run: Stored) -> None:
    app = open_page("report", view="letter", run=with_run.run_id)
    assert "nobody has stated this yet: Name of the organisation, Address of the organisation" in said(app)
    assert is_off(app, "Show the letter")
    press(app, "State it under “Who decides”")
    assert any(item.label == "Name of the organisation" for item in app.text_input)


def test_who_decides_and_what_the_model_is_for_are_kept(open_page: Open, with_run: Stored, desk: Desk) -> None:
    app = open_page("report", view="organisation")
    next(item for item in app.text_input if item.label == "Name of the organisation").set_value(f" Bank {HOSTILE} ")
    next(item for item in app.text_area if item.label == "Address of the organisation").set_value("1 High Street\nOslo")
    press(app, "Save")
    assert desk.organisation().name == f"Bank {HOSTILE}"
    assert desk.organisation().address == "1 High Street\nOslo"
    app = open_page("report", view="facts", run=with_run.run_id)
    assert "0 of 21 are stated" in said(app)
    next(item for item in app.text_area if item.label == "Purpose of the model").set_value("Credit decisions.")
    press(app, "Save")
    assert desk.facts(with_run.run_id).purpose == "Credit decisions."
    assert "1 of 21 are stated" in said(app)


def choose(app: AppTest, words: str) -> AppTest:
    radio = next(item for item in app.radio if item.label == "A score bought from others")
    return checked(radio.set_value(words).run())


def test_that_no_score_is_bought_is_one_choice_and_one_press(open_page: Open, with_run: Stored, desk: Desk) -> None:
    app = open_page("report", view="facts", run=with_run.run_id)
    assert desk.consumer_score(with_run.run_id) == ConsumerScore()
    press(choose(app, "none"), "Save what is said of the score")
    assert desk.consumer_score(with_run.run_id) == ConsumerScore(use="none")
    assert next(item for item in app.radio if item.label == "A score bought from others").value == "none"


def test_a_bought_score_is_stated_with_columns_of_the_table_alone(
    open_page: Open, with_run: Stored, desk: Desk
) -> None:
    schema = data_access.run(with_run.run_id).schema
    first, second, *_ = schema.feature_names
    app = choose(open_page("report", view="facts", run=with_run.run_id), "column")
    press(app, "Save what is said of the score")
    assert "name the column that holds it" in said(app)
    (column,) = (item for item in app.selectbox if item.label == "Column with the score")
    assert column.options == list(schema.feature_names)
    column.set_value(first)
    next(item for item in app.text_input if item.label == "Name of the score").set_value(f" Score {HOSTILE} ")
    next(item for item in app.number_input if item.label == "Lowest possible score").set_value(850)
    next(item for item in app.number_input if item.label == "Highest possible score").set_value(300)
    next(item for item in app.multiselect if item.label == "Columns with its key factors").set_value([second])
    press(app, "Save what is said of the score")
    assert "Lowest must be below highest, got 850 and 300" in said(app)
    assert desk.consumer_score(with_run.run_id) == ConsumerScore()
    next(item for item in app.number_input if item.label == "Lowest possible score").set_value(0)
    press(app, "Save what is said of the score")
    wanted = ConsumerScore(
        use="column", column=first, name=f"Score {HOSTILE}", lowest=0, highest=300, factor_columns=(second,)
    )
    assert desk.consumer_score(with_run.run_id) == wanted
    assert "Not stated yet: its provider, the column with its date. Some profiles ask for it." in said(app)
    next(item for item in app.selectbox if item.label == "Column with its date").set_value(first)
    press(app, "Save what is said of the score")
    assert f"The column '{first}' is stated twice" in said(app)
    assert desk.consumer_score(with_run.run_id) == wanted


def test_a_damaged_file_is_one_sentence(open_page: Open, with_run: Stored, desk: Desk) -> None:
    desk.folder.mkdir()
    (desk.folder / "organisation.json").write_text("{")
    assert "is damaged" in said(open_page("report", view="organisation"))
