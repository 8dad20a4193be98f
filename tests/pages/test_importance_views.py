"""Importance by class and slice, and the effect of a column: controls, conditions, what is measured while one waits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages._ui import data_access, effect_access
from tests.pages.conftest import Stored, checked, texts
from tests.pages.explained import drop_explanations, figures, install

Open = Callable[..., AppTest]


def pick(app: AppTest, label: str, value: str) -> AppTest:
    next(box for box in app.selectbox if box.label == label).set_value(value)
    return checked(app.run())


def test_classes_stand_beside_each_other_with_sizes_and_words(open_page: Open, with_run: Stored) -> None:
    app = open_page("importance", run=with_run.run_id, view="parts")
    drawn = figures(app)["part_dots"]
    names = [trace["name"] for trace in drawn["data"]]
    assert names[0] == "all rows"
    assert sum(int(name.split("(")[1].split()[0]) for name in names[1:]) == 6
    table = app.dataframe[0].value
    assert table["part"].tolist()[0] == "all rows"
    assert table["rows"].tolist()[0] == table["rows"].tolist()[1:][0] + sum(table["rows"].tolist()[2:])
    assert "than in the other rows" in texts(app) or "no column is told apart" in texts(app)
    assert "fewer than 10 rows" in texts(app)
    app = pick(app, "Importance by", "permutation")
    assert "permutation importance" in figures(app)["part_dots"]["layout"]["title"]["text"]
    assert app.query_params["method"] == "permutation"


def test_a_column_divides_the_rows_into_its_values(open_page: Open, with_run: Stored) -> None:
    app = open_page("importance", run=with_run.run_id, view="parts", group="column", by="job", method="masks")
    assert set(app.dataframe[0].value["part"]) == {"all rows", "cook", "clerk", "nurse"}
    assert app.dataframe[0].value["rows"].tolist()[0] == 120
    app = pick(app, "Column that divides the rows", "age")
    assert any("under " in part for part in app.dataframe[0].value["part"])
    assert "missing" in set(app.dataframe[0].value["part"])


def test_a_condition_compares_its_rows_with_all_others(open_page: Open, with_run: Stored) -> None:
    ids = {"run": with_run.run_id, "view": "parts", "group": "where", "method": "masks"}
    app = open_page("importance", **ids)
    assert "Type a condition" in texts(app)
    app = open_page("importance", **ids, where="age >= 40")
    rows = dict(zip(app.dataframe[0].value["part"], app.dataframe[0].value["rows"], strict=True))
    assert rows["age >= 40"] + rows["all other rows"] == 120
    assert {link.proto.label for link in app.get("page_link")} >= {"The decisions on these rows"}
    nothing = open_page("importance", **ids, where="age >= 4000")
    assert "None of the 120 explained rows meets this condition" in texts(nothing)
    assert "part_dots" not in figures(nothing)
    mistaken = open_page("importance", **ids, where="agee >= 40")
    assert mistaken.error


def test_the_effect_of_a_stored_column_is_drawn_with_its_rows(open_page: Open, with_run: Stored) -> None:
    run = data_access.run(with_run.run_id)
    stored = next(name for name in run.encoder.layout.feature_names if effect_access.is_stored(run, name))
    app = open_page("importance", run=with_run.run_id, view="effects", column=stored)
    assert {"effect_pdp", "effect_ale", "interactions", "surface"} <= set(figures(app))
    assert "measured just now" not in texts(app)
    app = pick(app, "Mark a value", "0")
    assert "of the table** are nearest to" in texts(app)
    assert {link.proto.label for link in app.get("page_link")} >= {"What was read in these rows"}


@pytest.mark.parametrize("column", ["age", "job", "member", "joined"])
def test_any_column_is_measured_while_one_waits(
    open_page: Open, with_run: Stored, monkeypatch: pytest.MonkeyPatch, column: str
) -> None:
    monkeypatch.setattr(effect_access, "seconds", lambda run, n_partners: 0.5)  # as on a machine at rest
    app = open_page("importance", run=with_run.run_id, view="effects", column=column)
    drawn = figures(app)
    assert {"effect_pdp", "effect_ale", "interactions", "surface"} <= set(drawn)
    ranges = [drawn[key]["layout"]["yaxis"]["range"] for key in ("effect_pdp", "effect_ale")]
    assert ranges[0] == ranges[1]
    others = next(box for box in app.selectbox if box.label == "Together with").options
    assert set(others) == {"age", "job", "member", "joined"} - {column}
    app = pick(app, "Together with", others[-1])
    assert app.query_params["with"] == others[-1]
    assert figures(app)["surface"]["layout"]["yaxis"]["title"]["text"] == others[-1]


def test_interactions_that_take_long_wait_for_the_reader(
    open_page: Open, with_run: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(effect_access, "seconds", lambda run, n_partners: 90.0)
    app = open_page("importance", run=with_run.run_id, view="effects", column="job")
    assert "about 1 min" in texts(app) or "about 90 s" in texts(app) or "about 2 min" in texts(app)
    assert "interactions" not in figures(app)
    app.button(key="interactions_job").click()
    app = checked(app.run())
    assert "interactions" in figures(app)
    assert "interactions" in figures(checked(app.run())), "what was measured is kept"


def test_without_the_table_or_its_values_the_views_say_so(
    open_page: Open, with_run: Stored, workspace_root: Path
) -> None:
    drop_explanations(workspace_root, with_run, "explanations/masks", "explanations/attribution")
    app = open_page("importance", run=with_run.run_id, view="parts")
    assert "stores no values row by row" in texts(app)


def test_each_output_has_effects_of_its_own(open_page: Open, workspace_root: Path) -> None:
    stored = install("grape", workspace_root)
    first = open_page("importance", run=stored.run_id, view="effects", column="colour", **{"class": "0"})
    second = open_page("importance", run=stored.run_id, view="effects", column="colour", **{"class": "1"})
    hovers = [figures(app)["effect_pdp"]["data"][-1]["customdata"] for app in (first, second)]
    assert hovers[0] != hovers[1]


def test_the_page_starts_from_a_column_whose_effect_is_stored(
    open_page: Open, with_run: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(effect_access, "is_stored", lambda _run, column: column == "job")
    app = open_page("importance", run=with_run.run_id)
    assert next(box for box in app.selectbox if box.label == "Column").value == "job"
