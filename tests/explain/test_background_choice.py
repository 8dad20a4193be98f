"""Backgrounds by class, by slice and near the cutoff: the right rows, said, and never widened in silence."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tabnet_engine.config import ExplainConfig
from tabnet_engine.data.schema import Column, FeatureSchema, Kind, Role, Task
from tabnet_engine.data.target_set import TargetCodecs
from tabnet_engine.data.targets import TargetCodec
from tabnet_engine.errors import ConfigError, ExplanationError, SchemaError
from tabnet_engine.explain.background_choice import Candidates, choose_background

BOUGHT = TargetCodec("bought", Task.BINARY, ("no", "yes"))
KIND = TargetCodec("kind", Task.MULTICLASS, ("a", "b", "c"))
PRICE = TargetCodec("price", Task.REGRESSION, mean=1.0, scale=2.0)
ROWS = np.arange(20, 80)


@pytest.fixture
def table(cases):
    """A hundred rows; x0 is the logit of the second class, and rises with the row number."""
    values = np.column_stack([np.linspace(-5, 5, 100), np.arange(100) % 7])
    frame = pd.DataFrame(values, columns=["x0", "x1"])
    frame["bought"] = np.where(np.arange(100) % 4 == 0, "yes", "no")
    frame["kind"] = np.array(["a", "b", "c"])[np.arange(100) % 3]
    frame["price"] = np.arange(100) * 1.5
    encoded = cases.plain_table(values)
    return Candidates(frame=frame, encoded=encoded, rows=ROWS)


SCHEMA = FeatureSchema(
    columns=(
        Column(name="x0", kind=Kind.NUMBER),
        Column(name="x1", kind=Kind.NUMBER),
        Column(name="bought", kind=Kind.CATEGORY, role=Role.TARGET),
    )
)


@pytest.fixture
def choose(cases, table):
    def chosen(*codecs: TargetCodec, candidates: Candidates = table, **settings: object):
        targets = TargetCodecs(codecs or (BOUGHT,))
        model = cases.NumpyModel(
            cases.plain_layout(2),
            lambda encoded: (
                np.repeat(encoded.numeric[:, :1], len(targets.outputs), axis=1) * np.arange(1, 1 + len(targets.outputs))
            ),
            outputs=targets.outputs,
        )
        config = ExplainConfig(**{"n_background": 8, **settings})
        return choose_background(model, targets, SCHEMA, candidates, config)

    return chosen


def test_all_training_rows_keep_the_shares_of_the_classes(choose, table):
    sample = choose()
    assert sample.background.kind == "training"
    assert sample.background.description == "8 of 60 training rows, drawn in the shares of the classes"
    assert (table.frame["bought"].iloc[sample.background.rows] == "yes").sum() == 2
    np.testing.assert_array_equal(sample.encoded.numeric, table.encoded.numeric[sample.background.rows])


def test_a_class(choose, table):
    sample = choose(background="class", background_class="yes")
    assert sample.background.kind == "class"
    assert sample.background.n_population == 15
    assert sample.background.description == "8 of 15 training rows of the class 'yes' of 'bought', drawn at random"
    assert set(table.frame["bought"].iloc[sample.background.rows]) == {"yes"}
    assert set(sample.background.rows) <= set(ROWS)
    np.testing.assert_array_equal(sample.encoded.numeric, table.encoded.numeric[sample.background.rows])
    whole = choose(background="class", background_class="yes", n_background=50)
    assert whole.background.description == "all 15 training rows of the class 'yes' of 'bought'"


def test_a_slice(choose, table):
    sample = choose(background="where", background_where="x1 in (2, 3)", n_background=500)
    assert sample.background.kind == "where"
    assert sample.background.rows.tolist() == [row for row in ROWS if row % 7 in (2, 3)]
    assert sample.background.description == f"all {sample.background.n_rows} training rows with x1 in (2, 3)"


def test_near_the_cutoff(choose, table):
    both = choose(background="cutoff")
    assert both.background.rows.tolist() == list(range(46, 54))
    assert both.background.kind == "cutoff"
    assert both.background.n_population == 60
    assert both.background.description == (
        "8 of 60 training rows, those whose predicted probability of 'yes' is nearest to 0.5 (0.413 to 0.587)"
    )
    above = choose(background="cutoff", background_side="above")
    assert above.background.rows.tolist() == list(range(50, 58))
    assert "nearest to 0.5 and above it" in above.background.description
    assert choose(background="cutoff", background_side="below").background.rows.tolist() == list(range(42, 50))
    low = choose(background="cutoff", cutoff=0.2)
    logit = np.log(0.2 / 0.8)
    assert np.abs(table.frame["x0"].iloc[low.background.rows] - logit).max() < 0.6
    other = choose(background="cutoff", background_class="no", cutoff=0.8)
    assert other.background.rows.tolist() == low.background.rows.tolist()


def test_of_several_classes_the_named_one(choose, table):
    with pytest.raises(ExplanationError, match="say which one with background_class"):
        choose(KIND, background="cutoff")
    sample = choose(KIND, background="cutoff", background_class="c", cutoff=0.9)
    assert "probability of 'c'" in sample.background.description
    several = choose(PRICE, BOUGHT, background="class", background_class="yes")
    assert set(table.frame["bought"].iloc[several.background.rows]) == {"yes"}
    near = choose(PRICE, BOUGHT, background="cutoff", background_class="yes")
    assert np.abs(table.frame["x0"].iloc[near.background.rows]).max() < 0.5


def test_two_targets_with_one_class_name_must_be_told_apart(choose):
    second = TargetCodec("kind", Task.BINARY, ("no", "yes"))
    with pytest.raises(ExplanationError, match="write 'bought=yes' or 'kind=yes'"):
        choose(BOUGHT, second, background="class", background_class="yes")
    assert choose(BOUGHT, second, background="class", background_class="bought=yes").background.n_rows == 8


@pytest.mark.parametrize(
    ("codecs", "settings", "error", "words"),
    [
        ((), {"background": "class", "background_class": "maybe"}, ExplanationError, "the classes are 'no', 'yes'"),
        ((PRICE,), {"background": "class", "background_class": "yes"}, ExplanationError, "that is a number has none"),
        ((PRICE,), {"background": "cutoff"}, ExplanationError, "needs a class"),
        ((), {"background": "where", "background_where": "x0 > 99"}, ExplanationError, "the background is empty: none"),
        ((), {"background": "where", "background_where": "x2 > 9"}, SchemaError, "there is no column 'x2'"),
        ((), {"background": "where", "background_where": "x0 <"}, ExplanationError, "a value was expected"),
        (
            (),
            {"background": "cutoff", "cutoff": 0.999, "background_side": "above"},
            ExplanationError,
            "none of the 60 training rows is predicted 'yes' with a probability above 0.999",
        ),
    ],
)
def test_what_no_row_fits_is_refused(choose, codecs, settings, error, words):
    with pytest.raises(error, match=words):
        choose(*codecs, **settings)


def test_a_table_without_the_target_has_no_classes(choose, table):
    bare = Candidates(frame=table.frame.drop(columns="bought"), encoded=table.encoded, rows=ROWS, name="rows")
    with pytest.raises(ExplanationError, match="needs the column 'bought', which the table does not have"):
        choose(candidates=bare, background="class", background_class="yes")
    holes = table.frame.assign(bought=table.frame["bought"].where(np.arange(100) > 60))
    partly = Candidates(frame=holes, encoded=table.encoded, rows=ROWS, name="rows of the explained table")
    sample = choose(candidates=partly, background="class", background_class="yes", n_background=99)
    assert sample.background.rows.tolist() == [64, 68, 72, 76]
    assert sample.background.description.startswith("all 4 rows of the explained table of the class 'yes'")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"background": "class"}, "needs background_class"),
        ({"background": "where"}, "needs background_where"),
        ({"background_class": "yes"}, "only read with background=class"),
        ({"background_where": "x0 > 1"}, "only read with background=where"),
        ({"background": "all"}, "background must be one of training, class, where, cutoff, got 'all'"),
        ({"cutoff": 1.5}, "cutoff must be between 0 and 1, got 1.5"),
        ({"background_side": "left"}, "background_side must be one of both, above, below"),
        ({"methods": "shap,lime"}, "methods must be any of masks, shap, .*, got 'lime'"),
        ({"methods": "shap,shap"}, "named once each"),
        ({"target_error": 0}, "target_error must be at least"),
        ({"methods": [3]}, "methods must be text, got 3"),
    ],
)
def test_settings_that_contradict_themselves_are_refused(settings, words):
    with pytest.raises(ConfigError, match=words):
        ExplainConfig.from_mapping(settings)


def test_settings_survive_text():
    config = ExplainConfig.from_mapping(
        {"methods": "shap, ablation", "background": "where", "background_where": "a = 1"}
    )
    assert config.methods == ("shap", "ablation")
    assert ExplainConfig.from_mapping(config.to_mapping()) == config
    assert config.signed_methods == ("shap", "ablation")
