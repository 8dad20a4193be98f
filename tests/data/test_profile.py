import json

import numpy as np
import pandas as pd
import pytest

from tabnet_engine.data.kinds import propose_schema, set_kind, set_role, set_target, set_targets
from tabnet_engine.data.profile import Severity, TableProfile, Topic, profile_table
from tabnet_engine.data.profiling import leakage
from tabnet_engine.data.schema import Column, FeatureSchema, Kind, Role
from tabnet_engine.errors import SchemaError

RNG = np.random.default_rng(0)
N = 600


def _profile(frame: pd.DataFrame, target: str | None = None, **options) -> TableProfile:
    schema = propose_schema(frame)
    return profile_table(frame, schema if target is None else set_target(schema, frame, target, **options))


def _texts(profile: TableProfile, topic: Topic) -> list[str]:
    return [warning.text for warning in profile.warnings if warning.topic is topic]


def _noise(n: int = N, **columns) -> pd.DataFrame:
    return pd.DataFrame({"noise": RNG.normal(size=n), "side": RNG.choice(["left", "right", "up"], n), **columns})


def test_a_number_column():
    column = _profile(pd.DataFrame({"x": [1.5, 2.5, 2.5, np.nan, 4.0]})).column("x")
    assert (column.n_missing, column.missing_share, column.n_unique) == (1, 0.2, 3)
    assert (column.top_values, column.top_counts, column.n_other) == (("2.5", "1.5", "4"), (2, 1, 1), 0)
    assert (column.minimum, column.median, column.mean, column.maximum) == (1.5, 2.5, 2.625, 4.0)
    assert column.std == pytest.approx(np.std([1.5, 2.5, 2.5, 4.0]))
    assert sum(column.histogram.counts) == 4
    assert len(column.histogram.edges) == 31
    assert column.association is None


def test_whole_numbers_get_a_bin_each():
    histogram = _profile(pd.DataFrame({"x": [1, 2, 2, 5, 5, 5]})).column("x").histogram
    assert histogram.edges == (0.5, 1.5, 2.5, 3.5, 4.5, 5.5)
    assert histogram.counts == (1, 2, 0, 0, 3)


def test_a_category_column_counts_the_rest():
    column = _profile(pd.DataFrame({"x": [f"v{i % 20:02}" for i in range(100)]})).column("x")
    assert len(column.top_values) == 12
    assert column.n_other == 40
    assert column.histogram is None
    assert column.mean is None


def test_dates_are_measured_in_seconds():
    column = _profile(pd.DataFrame({"d": pd.to_datetime(["1970-01-02", None, "1970-01-04"])})).column("d")
    assert column.kind is Kind.DATETIME
    assert (column.minimum, column.maximum, column.n_missing) == (86400.0, 3 * 86400.0, 1)
    assert sum(column.histogram.counts) == 2


@pytest.mark.parametrize(
    "values", [[-1.7e308, 1.7e308, 0.5], [1e300, 1.0, 2.5], [5e-324, 0.0, 1e-323], [1e17 + 0.5] * 3, [0.1, 0.1, np.nan]]
)
def test_hostile_numbers_are_measured_or_left_open(values):
    frame = pd.DataFrame({"x": values})
    schema = FeatureSchema(columns=(Column(name="x", kind=Kind.NUMBER),))
    profile = profile_table(frame, schema)
    column = profile.column("x")
    assert column.histogram is None or sum(column.histogram.counts) == np.isfinite(values).sum()
    assert json.dumps(profile.to_mapping(), allow_nan=False)


def test_infinite_values_of_a_hand_made_table_are_left_out():
    column = profile_table(
        pd.DataFrame({"x": [np.inf, 1.0, 2.0]}), FeatureSchema(columns=(Column(name="x", kind=Kind.NUMBER),))
    ).column("x")
    assert column.maximum == 2.0


def test_the_measure_of_association_follows_the_kinds():
    size = RNG.normal(size=N)
    frame = _noise(size=size, group=np.where(size > 0, "big", "small"), y=size + RNG.normal(size=N))
    by_number = {c.name: c.association for c in _profile(frame, "y").columns}
    assert by_number["size"].measure == "Pearson correlation (absolute)"
    assert by_number["size"].value == pytest.approx(abs(np.corrcoef(size, frame.y)[0, 1]))
    assert by_number["group"].measure == "correlation ratio"
    assert by_number["y"] is None
    by_class = {c.name: c.association for c in _profile(frame, "group").columns}
    assert by_class["size"].measure == "correlation ratio"
    assert by_class["side"].measure == "Cramér's V"
    assert by_class["size"].value > 0.7
    assert by_class["noise"].value < 0.1


def test_identifiers_and_text_have_no_association():
    frame = _noise(id=range(N), y=RNG.choice(["a", "b"], N))
    assert _profile(frame, "y").column("id").association is None


def test_columns_that_add_up_to_the_target_are_found():
    """Bike sharing: casual + registered = cnt."""
    casual, registered = RNG.integers(0, 100, N), RNG.integers(0, 600, N)
    frame = _noise(casual=casual, registered=registered, cnt=casual + registered)
    warning = _profile(frame, "cnt").warnings[0]
    assert (warning.severity, warning.topic) == (Severity.SERIOUS, Topic.LEAKAGE)
    assert warning.columns == ("casual", "registered")
    assert '"cnt" equals "casual" + "registered" in all 600 rows checked' in warning.text
    alone = [w.columns for w in _profile(frame, "cnt").warnings if w.topic is Topic.LEAKAGE]
    assert ("registered",) in alone


def test_other_weighted_sums_are_found():
    a, b = RNG.normal(size=N), RNG.normal(size=N)
    frame = _noise(a=a, b=b, y=3 * a - 2 * b + 5)
    assert 'equals a weighted sum of "a", "b"' in _texts(_profile(frame, "y"), Topic.LEAKAGE)[0]


def test_a_column_that_gives_the_target_away_is_found():
    label = RNG.choice(["good", "bad"], N, p=[0.8, 0.2])
    frame = _noise(stars=np.where(label == "good", RNG.integers(3, 5, N), RNG.integers(0, 2, N)), label=label)
    warning = next(w for w in _profile(frame, "label").warnings if w.topic is Topic.LEAKAGE)
    assert warning.severity is Severity.SERIOUS
    assert warning.columns == ("stars",)
    assert '"stars" alone predicts ' in warning.text
    assert "(600 rows checked)" in warning.text


def test_a_curved_copy_of_a_number_is_found():
    size = RNG.exponential(size=N)
    assert _texts(_profile(_noise(area=size**3, size=size), "size"), Topic.LEAKAGE)


def test_a_strong_but_honest_column_is_no_leak():
    x = RNG.normal(size=N)
    frame = _noise(x=x, y=np.where(x + 0.4 * RNG.normal(size=N) > 0, "a", "b"))
    assert not _texts(_profile(frame, "y"), Topic.LEAKAGE)
    frame = _noise(x=x, y=x + 0.5 * RNG.normal(size=N))
    assert not _texts(_profile(frame, "y"), Topic.LEAKAGE)


def test_ignored_columns_leak_nothing():
    y = RNG.normal(size=N)
    frame = _noise(copy=2 * y, y=y)
    schema = set_role(set_target(propose_schema(frame), frame, "y"), "copy", Role.IGNORED)
    assert not _texts(profile_table(frame, schema), Topic.LEAKAGE)


def test_duplicated_columns_are_named_together():
    frame = _noise(code=np.tile([1, 2, 3, 4], N // 4), name=np.tile(["a", "b", "c", "d"], N // 4))
    warning = next(w for w in _profile(frame).warnings if w.topic is Topic.DUPLICATED_COLUMNS)
    assert warning.columns == ("code", "name")


def test_the_target_is_no_duplicate_but_a_leak():
    label = np.tile(["a", "b", "c", "d"], N // 4)
    frame = _noise(copy=np.tile([1, 2, 3, 4], N // 4), label=label)
    profile = _profile(frame, "label")
    assert not _texts(profile, Topic.DUPLICATED_COLUMNS)
    assert _texts(profile, Topic.LEAKAGE)


@pytest.mark.parametrize(("n_more", "severity"), [(1, Severity.INFO), (60, Severity.WARNING)])
def test_duplicated_rows_are_counted_without_identifiers(n_more, severity):
    frame = _noise()
    frame = pd.concat([frame, frame.head(n_more)], ignore_index=True)
    frame["id"] = range(len(frame))
    warning = next(w for w in _profile(frame).warnings if w.topic is Topic.DUPLICATED_ROWS)
    assert warning.severity is severity
    assert warning.text.startswith(f"{n_more:,} of {len(frame):,} rows")


@pytest.mark.parametrize(
    ("shares", "rare"),
    [
        ({"a": 590, "b": 10}, '10 of 600 rows (1.7 %) have the class "b"'),
        (
            {"a": 400, "b": 195, "c": 3, "d": 2},
            '2 of 600 rows (0.3 %) have the class "d" (2 classes are rare: "d", "c")',
        ),
        ({"a": 400, "b": 200}, None),
        ({"a": 200, "b": 200, "c": 100, "d": 100}, None),
    ],
)
def test_rare_classes_are_named(shares, rare):
    frame = _noise(y=np.repeat(list(shares), list(shares.values())))
    profile = _profile(frame, "y")
    assert dict(zip(profile.classes, profile.class_counts, strict=True)) == shares
    texts = _texts(profile, Topic.CLASS_IMBALANCE)
    assert (rare is None and not texts) or rare in texts[0]


def test_a_target_that_is_cut_off_is_named():
    value = np.minimum(RNG.normal(200, 50, N).round(2), 250.0)
    text = _texts(_profile(_noise(value=value), "value"), Topic.CAPPED_TARGET)[0]
    assert '"value", 250: it looks cut off' in text
    assert not _texts(_profile(_noise(value=RNG.normal(size=N)), "value"), Topic.CAPPED_TARGET)
    few = np.minimum(RNG.integers(0, 60, N), 50)
    assert not _texts(_profile(_noise(value=few), "value", task="regression"), Topic.CAPPED_TARGET)


def test_columns_that_are_mostly_missing_are_named():
    half = np.where(np.arange(N) % 10 < 7, np.nan, RNG.normal(size=N))
    warning = next(w for w in _profile(_noise(half=half)).warnings if w.topic is Topic.MISSING)
    assert warning.columns == ("half",)
    assert 'most in "half": 70.0 %' in warning.text


def test_what_is_left_out_is_said():
    frame = _noise(id=range(N), one=1, note=[f"a story about number {i}" for i in range(N)])
    profile = _profile(frame)
    assert _texts(profile, Topic.IDENTIFIER) == [
        'Columns that name rows and are left out; choose one as row id to see it beside each row: "id".'
    ]
    assert '"one"' in _texts(profile, Topic.CONSTANT)[0]
    assert '"note"' in _texts(profile, Topic.TEXT)[0]


def test_the_most_serious_comes_first():
    y = RNG.choice(["a", "b"], N, p=[0.97, 0.03])
    frame = pd.concat([_noise(id=range(N), copy=y, y=y)] * 1, ignore_index=True)
    severities = [warning.severity for warning in _profile(frame, "y").warnings]
    assert severities == sorted(severities, key=["serious", "warning", "info"].index)
    assert len(set(severities)) == 3


def test_a_clean_table_raises_no_alarm():
    frame = _noise(y=RNG.choice(["a", "b"], N))
    profile = _profile(frame, "y")
    assert profile.warnings == ()
    assert profile.notes == ()


def test_rows_without_target_are_not_checked():
    y = pd.Series(RNG.choice(["a", "b"], N), dtype="str")
    y[:550] = None
    frame = _noise(y=y)
    profile = _profile(frame, "y")
    assert sum(profile.class_counts) == 50
    assert profile.column("y").n_missing == 550


def test_sampling_is_said(monkeypatch):
    monkeypatch.setattr(leakage, "_MAX_ROWS", 100)
    frame = _noise(a=RNG.normal(size=N), y=RNG.normal(size=N))
    (note,) = _profile(frame, "y").notes
    assert note.startswith("Leakage was looked for in 100 of the 600 rows with a target")


def test_a_bounded_search_for_sums_is_said():
    frame = pd.DataFrame(RNG.normal(size=(N, 205))).add_prefix("x")
    frame["y"] = frame.x7 + frame.x203
    profile = _profile(frame, "y")
    assert "among the 150 of 205 number columns" in profile.notes[0]
    assert profile.warnings[0].columns == ("x7", "x203")


def test_a_sum_is_found_although_no_row_is_complete():
    frame = pd.DataFrame(RNG.normal(size=(N, 60))).add_prefix("x")
    frame["y"] = frame.x7 + frame.x23
    frame = frame.mask(RNG.random(frame.shape) < 0.1).assign(y=frame.y)
    assert _profile(frame, "y").warnings[0].columns == ("x7", "x23")


def test_few_rows_are_not_checked_and_that_is_said():
    frame = _noise(20, y=RNG.normal(size=20)).assign(copy=lambda table: table.y)
    profile = _profile(frame, "y")
    assert profile.notes == ("Only 20 rows have a target: too few to look for leakage.",)
    assert not _texts(profile, Topic.LEAKAGE)


def test_wide_tables_stay_within_their_time():
    frame = pd.DataFrame(RNG.normal(size=(300, 2000))).add_prefix("x").assign(y=RNG.choice(["a", "b"], 300))
    profile = _profile(frame, "y")
    assert profile.n_columns == 2001


def test_mapping_round_trip_through_json():
    frame = _noise(id=range(N), d=pd.Timestamp("2024-01-01"), y=RNG.normal(size=N))
    profile = _profile(frame, "y")
    assert TableProfile.from_mapping(json.loads(json.dumps(profile.to_mapping()))) == profile


@pytest.mark.parametrize(
    "change", [{"columns": [{}]}, {"warnings": [{"severity": "dire"}]}, {"notes": None}, {"targets": [{}]}]
)
def test_damaged_profiles_are_refused(change):
    values = {**_profile(_noise()).to_mapping(), **change}
    with pytest.raises(SchemaError, match="the profile cannot be read"):
        TableProfile.from_mapping(values)


def test_unknown_columns_are_named():
    with pytest.raises(SchemaError, match="the profile has no column 'nope'"):
        _profile(_noise()).column("nope")
    schema = propose_schema(_noise())
    with pytest.raises(SchemaError, match="the table has no column 'side', which its schema names"):
        profile_table(_noise().drop(columns="side"), schema)


def test_a_user_kind_is_profiled_as_chosen():
    frame = pd.DataFrame({"x": pd.Series(["1", "2", "2"] * 20, dtype="str"), "z": RNG.normal(size=60)})
    profile = profile_table(frame, set_kind(propose_schema(frame), frame, "x", Kind.NUMBER))
    assert profile.column("x").mean == pytest.approx(5 / 3)


@pytest.mark.parametrize("rows", [0, 1])
def test_tables_of_hardly_any_rows(rows):
    frame = pd.DataFrame({"x": RNG.normal(size=rows), "y": ["a"] * rows})
    assert profile_table(frame, propose_schema(frame)).n_rows == rows


def _two_targets(frame: pd.DataFrame, *names: str) -> TableProfile:
    return profile_table(frame, set_targets(propose_schema(frame), frame, list(names)))


def test_each_of_several_targets_is_measured_as_if_it_were_alone():
    size = RNG.normal(size=N)
    frame = _noise(size=size, group=np.where(size > 0, "big", "small"), y=size + RNG.normal(size=N))
    both = _two_targets(frame, "y", "group")
    assert [target.name for target in both.targets] == ["group", "y"]
    features = frame.drop(columns=["group", "y"])
    for target in both.targets:
        alone = _profile(features.assign(**{target.name: frame[target.name]}), target.name)
        assert alone.targets == (target,)
        assert target.class_counts == alone.class_counts
    first = both.targets[0]
    assert (both.target, both.classes, both.class_counts) == (first.name, first.classes, first.class_counts)
    assert both.column("size").association == first.associations["size"]
    assert both.column("y").association is None
    assert TableProfile.from_mapping(json.loads(json.dumps(both.to_mapping()))) == both


def test_warnings_name_the_target_that_they_are_about():
    count = RNG.integers(0, 200, N)
    rare = np.where(RNG.random(N) < 0.02, "yes", "no")
    frame = _noise(
        code=pd.Series(rare).map({"yes": "Q7", "no": "Q1"}), half=count // 2, rest=count - count // 2, count=count
    ).assign(rare=rare)
    profile = _two_targets(frame, "rare", "count")
    leaks = {warning.columns: warning.text for warning in profile.warnings if warning.topic is Topic.LEAKAGE}
    assert 'of the target "rare"' in leaks["code",]
    assert 'The target "count" equals "half" + "rest"' in leaks["half", "rest"]
    (imbalance,) = _texts(profile, Topic.CLASS_IMBALANCE)
    assert 'have the class "yes" of "rare"' in imbalance
    assert profile.warnings == tuple(sorted(profile.warnings, key=lambda w: list(Severity)[::-1].index(w.severity)))


def test_what_was_not_checked_is_said_for_each_target():
    y = pd.Series(RNG.normal(size=N)).mask(np.arange(N) >= 20)
    frame = _noise(y=y, z=RNG.choice(["a", "b"], N))
    notes = _two_targets(frame, "y", "z").notes
    assert notes == ("Only 20 rows have 'y': too few to look for leakage.",)


def test_what_holds_for_every_target_is_said_once(monkeypatch):
    monkeypatch.setattr(leakage, "_MAX_ROWS", 100)
    frame = _noise(y=RNG.normal(size=N), z=RNG.choice(["a", "b"], N))
    (note,) = _two_targets(frame, "y", "z").notes
    assert note.startswith("Leakage was looked for in 100 of the 600 rows with a target")
    notes = _two_targets(frame.assign(y=frame.y.mask(np.arange(N) < 50)), "y", "z").notes
    assert [text for note in notes for text in ("'y'", "'z'") if text in note] == ["'y'", "'z'"]


def test_repeated_rows_repeat_every_target():
    frame = _noise(40, y=RNG.normal(size=40), z=["a", "b"] * 20)
    frame = pd.concat([frame, frame.head(3), frame.tail(3).assign(z=["a", "a", "a"])], ignore_index=True)
    (text,) = _texts(_two_targets(frame, "y", "z"), Topic.DUPLICATED_ROWS)
    n_same = 3 + int((frame.z[37:40] == "a").sum())
    assert text.startswith(f"{n_same} of 46 rows")
    assert "in every feature and every target" in text


@pytest.mark.parametrize("n_values", [3, 12, 13, 40])
def test_the_most_frequent_values_come_first_and_ties_in_order(n_values):
    values = np.repeat([f"v{index:02}" for index in range(n_values)], RNG.integers(1, 4, n_values))
    column = _profile(pd.DataFrame({"x": values, "y": np.arange(len(values)) % 2})).column("x")
    counts = pd.Series(values).value_counts(sort=False)
    order = np.argsort(-counts.to_numpy(), kind="stable")[:12]
    assert column.top_values == tuple(counts.index[order])
    assert column.top_counts == tuple(counts.to_numpy()[order])
    assert column.n_other == len(values) - sum(column.top_counts)
