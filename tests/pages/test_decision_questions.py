"""One decision, asked about: other values, counterfactuals within limits, similar rows with another outcome."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages._ui import data_access, decision_models
from tests.pages.conftest import Stored, checked, texts
from tests.pages.explained import figures, install

Open = Callable[..., AppTest]
ROW = "3"


def asked(open_page: Open, stored: Stored, view: str, **further: str) -> AppTest:
    return open_page("decision", **{"run": stored.run_id, "row": ROW, "view": view, **further})


def control(app: AppTest, kind: str, end: str) -> Any:
    return next(item for item in app.get(kind) if item.key and item.key.endswith(end))


def address(app: AppTest, name: str) -> str:
    """What the address holds; a test's own values stand there as texts, the page's as lists."""
    value = app.query_params[name]
    return value if isinstance(value, str) else value[0]


def shown_numbers(app: AppTest) -> dict[str, str]:
    """The answer's numbers, below those of the row as it is."""
    return {metric.label.replace("\\", ""): metric.value.replace("\\", "") for metric in app.metric}


def expected(stored: Stored, changes: dict[str, Any]) -> float:
    """The probability of the positive class with changes, from the engine."""
    run = data_access.run(stored.run_id)
    codec, place = run.targets.of("approved")
    return decision_models.what_if(run, int(ROW)).answer(changes).probabilities(codec, place)[1][1]


def test_every_kind_of_column_has_its_control(open_page: Open, with_run: Stored) -> None:
    app = asked(open_page, with_run, "what_if")
    run = data_access.run(with_run.run_id)
    seen = {item.column.name: item for item in decision_models.columns(run)}
    assert (control(app, "slider", "age_slider_int").min, control(app, "slider", "age_slider_int").max) == (
        seen["age"].low,
        seen["age"].high,
    )
    options = control(app, "selectbox", "job_choice").options
    assert sum("training row" in option for option in options) == 4
    assert any("missing" in option for option in options)
    assert control(app, "date_input", "joined_date").value.isoformat() == "2020-01-04"
    assert {box.key.rsplit("_", 2)[-2] for box in app.checkbox} == {"age", "joined"}
    assert "Nothing is changed yet" in texts(app).replace("\\", "")


def test_a_moved_control_moves_the_answer_and_is_kept(open_page: Open, with_run: Stored) -> None:
    app = asked(open_page, with_run, "what_if")
    run = data_access.run(with_run.run_id)
    other = {item.column.name: item for item in decision_models.columns(run)}["age"].high
    app = checked(control(app, "slider", "age_slider_int").set_value(int(other or 0)).run())
    said = texts(app).replace("\\", "")
    assert "1 value is changed" in said
    share = expected(with_run, {"age": other})
    label = next(name for name in shown_numbers(app) if name.startswith("Probability of"))
    assert shown_numbers(app)[label] == f"{share * 100:.1f} %"
    assert json.loads(address(app, "set")) == {"age": other}
    assert control(app, "number_input", "age_entry_int").value == other
    again = asked(open_page, with_run, "what_if", set=address(app, "set"))
    assert control(again, "slider", "age_slider_int").value == other
    back = checked(control(app, "button", "what_if_reset").click().run())
    assert "set" not in back.query_params
    assert control(back, "slider", "age_slider_int").value != other


def test_a_cell_is_emptied_and_filled_again(open_page: Open, with_run: Stored) -> None:
    app = asked(open_page, with_run, "what_if")
    own = control(app, "slider", "age_slider_int").value
    app = checked(control(app, "checkbox", "age_missing").check().run())
    assert json.loads(address(app, "set")) == {"age": None}
    assert control(app, "slider", "age_slider_int").disabled
    app = checked(control(app, "checkbox", "age_missing").uncheck().run())
    assert "set" not in app.query_params
    assert control(app, "slider", "age_slider_int").value == own


def test_values_that_training_never_saw_are_named(open_page: Open, with_run: Stored) -> None:
    app = asked(open_page, with_run, "what_if", set='{"age":140}')
    assert "140 in age lies outside what the training rows hold" in app.warning[0].value.replace("\\", "")


@pytest.mark.parametrize("text", ["{", '{"age":"old","job":7,"<b>":1}', "[" * 3000, '{"age":1e999}'])
def test_no_address_breaks_the_controls(open_page: Open, with_run: Stored, text: str) -> None:
    app = asked(open_page, with_run, "what_if", set=text)
    assert "Nothing is changed yet" in texts(app).replace("\\", "")
    assert "in the address" in texts(app) or "address says" in texts(app)


def test_the_steps_are_drawn_as_they_are_and_changed(open_page: Open, with_run: Stored) -> None:
    app = asked(open_page, with_run, "what_if", set='{"age":25,"job":"nurse"}')
    drawn = str(figures(app))
    assert "Probability of each class" in drawn
    assert "◆ age" in drawn


def test_counterfactuals_keep_what_is_fixed(open_page: Open, with_run: Stored) -> None:
    app = asked(open_page, with_run, "counterfactual", fixed="age", changes="4")
    assert "What each proposal changes" not in texts(app)
    app = checked(control(app, "button", f"_{ROW}").click().run())
    said = texts(app).replace("\\", "")
    assert "What each proposal changes" in said or "None" in said
    assert "age from" not in said
    assert address(app, "find") == "1"
    assert "age stays as it is" in said
    again = asked(open_page, with_run, "counterfactual", fixed="age", changes="4", find="1")
    assert "age stays as it is" in texts(again).replace("\\", "")


def test_a_proposal_is_tried_under_what_if(open_page: Open, with_run: Stored) -> None:
    app = asked(open_page, with_run, "counterfactual", find="1", changes="4")
    numbers = shown_numbers(app)
    app = checked(control(app, "button", "try_1").click().run())
    assert "What if a value were another?" in texts(app)
    assert json.loads(address(app, "set"))
    label = next(name for name in numbers if name.startswith("Probability of"))
    assert shown_numbers(app)[label] == numbers[label]


def test_limits_that_cannot_be_are_said_in_a_sentence(open_page: Open, with_run: Stored) -> None:
    app = asked(open_page, with_run, "counterfactual", find="1", limited="age", from_age="much")
    assert "is no number" in app.error[0].value.replace("\\", "")
    app = asked(open_page, with_run, "counterfactual", find="1", limited="age", from_age="60", to_age="20")
    assert "ends at 20" in app.error[0].value.replace("\\", "")


def test_nothing_may_change_is_an_answer(open_page: Open, with_run: Stored) -> None:
    app = asked(open_page, with_run, "counterfactual", find="1", fixed="age~job~member~joined")
    assert "no column may change" in texts(app)


def test_similar_rows_have_the_other_outcome_and_lead_to_their_decision(open_page: Open, with_run: Stored) -> None:
    app = asked(open_page, with_run, "similar", by="actual")
    said = texts(app).replace("\\", "")
    assert "really came to" in said
    assert "real rows, not advice" in said
    links = [link for link in app.get("page_link") if "Open row" in link.proto.label]
    assert len(links) == 4


def test_a_number_has_a_wanted_range(open_page: Open, workspace_root: Path) -> None:
    stored = install("price", workspace_root)
    app = asked(open_page, stored, "counterfactual")
    assert "Name the lowest or the highest wanted value" in texts(app)
    app = asked(open_page, stored, "similar", wanted_from="30")
    assert "price at least 30" in texts(app).replace("\\", "")


def test_several_classes_may_be_left_for_any_other(open_page: Open, workspace_root: Path) -> None:
    stored = install("grape", workspace_root)
    app = asked(open_page, stored, "similar")
    assert "any other than" in " ".join(app.selectbox(key=_key(app, "Wanted")).options)
    assert "<b>$x$</b>" not in texts(app)


def _key(app: AppTest, start: str) -> str:
    return next(str(box.key) for box in app.selectbox if box.label.startswith(start))


@pytest.mark.parametrize("view", ["what_if", "counterfactual", "similar"])
def test_one_of_several_targets_is_asked_about(open_page: Open, workspace_root: Path, view: str) -> None:
    stored = install("grape,price", workspace_root)
    last = str(len(data_access.run(stored.run_id).targets.outputs) - 1)
    wanted = {"wanted_from": "1", "find": "1"} if view != "what_if" else {}
    app = open_page("decision", run=stored.run_id, row=ROW, view=view, **{"class": last}, lang="zh", **wanted)
    assert "price" in texts(app) + str(shown_numbers(app))
