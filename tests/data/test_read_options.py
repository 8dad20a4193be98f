"""Options: checked when they are made, the same after a trip through JSON."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabnet_engine.data.tables import DEFAULT_MISSING_TOKENS, ReadOptions, read_table
from tabnet_engine.errors import ConfigError, TableError


def test_nothing_is_taken_for_granted_by_default():
    options = ReadOptions()
    assert (options.format, options.encoding, options.delimiter, options.quote, options.decimal) == (None,) * 5
    assert options.header == "auto"
    assert options.missing_tokens == DEFAULT_MISSING_TOKENS


@given(
    st.builds(
        ReadOptions,
        format=st.sampled_from([None, "csv", "parquet", "excel", "jsonl"]),
        encoding=st.sampled_from([None, "utf-8", "latin-1", "gb18030"]),
        delimiter=st.sampled_from([None, ",", "::", "\t", " ", "§"]),
        quote=st.sampled_from([None, "", "'"]),
        decimal=st.sampled_from([None, ".", ","]),
        header=st.sampled_from(["auto", "first", "none"]),
        sheet=st.none() | st.text(),
        missing_tokens=st.lists(st.text(max_size=3), max_size=4).map(tuple),
        column_names=st.none() | st.lists(st.sampled_from(["a", "b", "<c>"]), min_size=1, unique=True).map(tuple),
    )
)
def test_a_trip_through_json_changes_nothing(options):
    assert ReadOptions.from_mapping(json.loads(json.dumps(options.to_mapping()))) == options


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"format": "xml"}, "format must be one of 'csv', 'parquet', 'excel', 'jsonl', got 'xml'"),
        ({"header": "second"}, "header must be one of"),
        ({"decimal": ";"}, "decimal must be one of '.', ','"),
        ({"encoding": "klingon"}, "no text encoding called 'klingon'"),
        ({"encoding": "zip"}, "no text encoding called 'zip'"),
        ({"encoding": "idna"}, "no text encoding called 'idna'"),
        ({"encoding": "a\0b"}, "no text encoding"),
        ({"delimiter": ""}, "delimiter must be"),
        ({"delimiter": "\n"}, "delimiter must be"),
        ({"delimiter": "toolongforone"}, "delimiter must be"),
        ({"quote": "''"}, "quote must be one ASCII character"),
        ({"quote": "«"}, "quote must be one ASCII character"),
        ({"quote": "'", "delimiter": "'"}, "quote and delimiter must differ"),
        ({"colour": "red"}, "unknown read option 'colour'; the options are format, encoding"),
        ({"delimiter": 3}, "delimiter must be text, got 3"),
        ({"missing_tokens": "NA"}, "missing_tokens must be a list of texts"),
        ({"missing_tokens": [None]}, "missing_tokens must be text, got None"),
    ],
)
def test_a_wrong_option_is_named_with_its_value(changes, said):
    with pytest.raises(ConfigError) as caught:
        ReadOptions.from_mapping(changes)
    assert said in str(caught.value)


@pytest.mark.parametrize(("spelled", "meant"), [("tab", "\t"), ("\\t", "\t"), ("Semicolon", ";"), ("space", " ")])
def test_delimiters_can_be_spelled(spelled, meant):
    assert ReadOptions(delimiter=spelled).delimiter == meant


def test_tokens_are_stripped_and_counted_once():
    assert ReadOptions(missing_tokens=(" NA", "NA", "")).missing_tokens == ("NA", "")


def test_another_file_keeps_what_values_mean():
    used = ReadOptions(
        format="csv", encoding="cp1252", delimiter=";", decimal=",", header="none", missing_tokens=("-9",)
    )
    assert used.for_another_file() == ReadOptions(header="none", missing_tokens=("-9",))


def test_replacing_checks_again():
    assert ReadOptions().replace(header="none").header == "none"
    with pytest.raises(ConfigError, match="header must be"):
        ReadOptions().replace(header="maybe")


@pytest.mark.parametrize(
    ("names", "said"),
    [((), "one of the names is empty"), (("a", " "), "empty"), (("a", "a "), "'a' comes up twice"), ((1,), "got 1")],
)
def test_column_names_must_be_names(names, said):
    with pytest.raises(ConfigError, match=said):
        ReadOptions(column_names=names)
    with pytest.raises(ConfigError, match="list of texts"):
        ReadOptions.from_mapping({"column_names": "a,b"})
    with pytest.raises(ConfigError, match="list of texts"):
        ReadOptions.from_mapping({"missing_tokens": None})


def test_columns_are_named_by_hand(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("1,2,x\n3,4,y\n5,6,x\n")
    table = read_table(path, ReadOptions(header="none", column_names=(" age", "<b>", "y")))
    assert list(table.frame.columns) == ["age", "<b>", "y"]
    assert any("named by hand" in note for note in table.notes)
    again = read_table(path, ReadOptions.from_mapping(table.options.to_mapping()))
    assert list(again.frame.columns) == ["age", "<b>", "y"]
    path.write_text("1,2\n3,4\n")
    fewer = read_table(path, table.options.for_another_file())
    assert list(fewer.frame.columns) == ["age", "<b>"]
    assert any("first 2 of 3 names" in note for note in fewer.notes)
    path.write_text("1,2,3,4\n5,6,7,8\n")
    with pytest.raises(TableError, match="4 columns and 3 names"):
        read_table(path, table.options.for_another_file())
