"""Choices kept in the address: a reload, a link and another language show the same."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.conftest import checked


def choices() -> None:
    import streamlit as st

    from pages._ui import kept

    shown = {
        "choice": kept.choice(
            "order", "Order", {"table": "table order", "": "none", "score": "by score"}, default="score"
        ),
        "tabs": kept.tabs("view", "View", {"map": "Map", "flow": "Flow"}),
        "several": kept.several("column", "Columns", ["age", "a~b", "50 %", "%7E"], default=["age"]),
        "text": kept.text("where", "Filter", default="age > 3"),
        "number": kept.number("step", "Step", -5, 20, default=1),
        "amount": kept.amount("cutoff", "Cutoff", 0.0, 1.0, default=0.5),
        "toggle": kept.toggle("all", "All", default=True),
        "stretch": kept.stretch("push", "Push", -2.0, 6.0),
    }
    for name, value in shown.items():
        st.text(f"{name}={value!r}")


def opened(**address: str) -> AppTest:
    app = AppTest.from_function(choices, default_timeout=30)
    for name, value in address.items():
        app.query_params[name] = value
    return checked(app.run())


def said(app: AppTest) -> dict[str, str]:
    return dict(text.value.split("=", 1) for text in app.text)


def kept_in(app: AppTest) -> dict[str, str]:
    return {name: given if isinstance(given, str) else given[-1] for name, given in app.query_params.items()}


USUAL = {
    "choice": "'score'",
    "tabs": "'map'",
    "several": "['age']",
    "text": "'age > 3'",
    "number": "1",
    "amount": "0.5",
    "toggle": "True",
    "stretch": "None",
}


def test_usual_choices_leave_the_address_short() -> None:
    app = opened()
    assert said(app) == USUAL
    assert kept_in(app) == {}


def test_a_link_shows_what_was_seen_and_stays() -> None:
    address = {
        "order": "",
        "view": "flow",
        "column": "a%7Eb~50 %25~%257E",
        "where": "",
        "step": "-3",
        "cutoff": "0.25",
        "all": "0",
        "push": "-1.5~6.0",
    }
    shown = {
        "choice": "''",
        "tabs": "'flow'",
        "several": "['a~b', '50 %', '%7E']",
        "text": "''",
        "number": "-3",
        "amount": "0.25",
        "toggle": "False",
        "stretch": "(-1.5, 6.0)",
    }
    app = opened(**address)
    assert said(app) == shown
    assert kept_in(app) == address
    assert said(checked(app.run())) == shown
    app = opened(column="", cutoff="1")
    assert said(app) == USUAL | {"several": "[]", "amount": "1.0"}
    assert said(checked(app.run()))["several"] == "[]"


@pytest.mark.parametrize(
    "address",
    [
        {"order": "gone", "view": "<b>", "column": "nothing~age", "step": "1e3", "cutoff": "nan", "all": "maybe"},
        {"step": "²", "cutoff": "x", "push": "1~nan~3"},
        {"push": "2~1"},
        {"push": "-3~1"},
    ],
)
def test_what_is_not_there_shows_the_usual_choice(address: dict[str, str]) -> None:
    app = opened(**address)
    assert said(app) == USUAL
    assert kept_in(app) == {}


def test_numbers_out_of_range_go_to_its_end() -> None:
    app = opened(step="99", cutoff="-2")
    assert (said(app)["number"], said(app)["amount"]) == ("20", "0.0")
    assert kept_in(app) == {"step": "20", "cutoff": "0.0"}


def test_what_is_chosen_goes_into_the_address_and_back_out() -> None:
    app = opened()
    app.selectbox[0].set_value("")
    app.multiselect[0].set_value(["a~b", "%7E"])
    app.text_input[0].set_value("")
    app.number_input[0].set_value(-4)
    app.number_input[1].set_value(0.75)
    app.toggle[0].set_value(False)
    app.slider[0].set_range(-2.0, 2.0)
    app.segmented_control[0].set_value("flow")
    app = checked(app.run())
    chosen = {
        "choice": "''",
        "tabs": "'flow'",
        "several": "['a~b', '%7E']",
        "text": "''",
        "number": "-4",
        "amount": "0.75",
        "toggle": "False",
        "stretch": "(-2.0, 2.0)",
    }
    assert said(app) == USUAL | chosen
    address = kept_in(app)
    assert address == {
        "view": "flow",
        "order": "",
        "column": "a%7Eb~%257E",
        "where": "",
        "step": "-4",
        "cutoff": "0.75",
        "all": "0",
        "push": "-2.0~2.0",
    }
    again = opened(**address)
    assert said(again) == said(app)
    # Back to the usual: the address is short again, and the choice does not jump.
    app.selectbox[0].set_value("score")
    app = checked(app.run())
    assert said(app)["choice"] == "'score'"
    assert "order" not in kept_in(app)
