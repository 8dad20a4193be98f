"""Values against pushes: numbers, dates, categories and missing cells each find their place."""

import numpy as np
import pandas as pd
import pytest

from tabnet_engine.explain.dependence import dependence, interacting, trend

FRAME = pd.DataFrame(
    {
        "f0": [1.0, np.nan, 3.0, 5.0],
        "f1": pd.Series(["b", "a", None, "b"], dtype="str"),
        "f2": pd.to_datetime(["2020-01-01", None, "2020-01-04", "2020-01-02"]),
        "f3": [True, False, True, True],
    }
)
TEXTS = pd.DataFrame(
    {name: FRAME[name].astype(object).where(FRAME[name].notna(), "missing").astype(str) for name in FRAME}
)


@pytest.fixture
def attribution(cases):
    return cases.attribution(np.arange(32.0).reshape(4, 4, 2))


def test_numbers_stand_at_their_value_and_missing_left_of_all(attribution):
    record = dependence(attribution, "f0", frame=FRAME, texts=TEXTS, output="o1")
    assert record.axis.places[[0, 2, 3]].tolist() == [1.0, 3.0, 5.0]
    assert record.axis.missing_place == record.axis.places[1] < 1.0
    assert record.pushes.tolist() == attribution.values[:, 0, 1].tolist()
    assert record.axis.tick_places is None
    assert record.texts[1] == "missing"


def test_dates_stand_by_day_with_dates_as_ticks(attribution):
    record = dependence(attribution, "f2", frame=FRAME, texts=TEXTS)
    assert np.diff(record.axis.places[[0, 3, 2]]).tolist() == [1.0, 2.0]
    assert record.axis.tick_texts == ["2020-01-01", "2020-01-02", "2020-01-03", "2020-01-04"]
    assert record.axis.missing_place is not None


def test_categories_stand_around_their_tick_missing_first(attribution):
    axis = dependence(attribution, "f1", frame=FRAME, texts=TEXTS).axis
    assert axis.tick_texts == ["missing", "a", "b"]
    assert np.abs(axis.places - [2, 1, 0, 2]).max() <= 0.25
    assert axis.places[0] != axis.places[3]
    assert axis.missing_place is None


def test_a_boolean_is_a_category(attribution):
    assert dependence(attribution, "f3", frame=FRAME, texts=TEXTS).axis.tick_texts == ["False", "True"]


def test_the_colouring_column_gives_levels_and_texts(attribution):
    record = dependence(attribution, "f1", frame=FRAME, texts=TEXTS, colored_by="f0")
    assert record.other == "f0"
    assert record.other_texts == ["1.0", "missing", "3.0", "5.0"]
    np.testing.assert_array_equal(record.levels, [0.0, np.nan, 0.5, 1.0])


@pytest.mark.parametrize("values", [[np.nan] * 4, [2.0] * 4])
def test_columns_without_a_range_still_have_places(attribution, values):
    frame = FRAME.assign(f0=values)
    places = dependence(attribution, "f0", frame=frame, texts=TEXTS).axis.places
    assert np.isfinite(places).all()


def test_a_frame_of_other_rows_is_refused(attribution):
    with pytest.raises(ValueError, match="4 rows are needed, got 3"):
        dependence(attribution, "f0", frame=FRAME.head(3), texts=TEXTS)


def test_a_trend_is_the_mean_push_of_neighbouring_rows(cases):
    generator = np.random.default_rng(0)
    numbers = generator.integers(0, 50, 400).astype(float)
    numbers[::8] = np.nan
    frame = pd.DataFrame({"f0": numbers, "f1": generator.choice(["a", "b"], 400)})
    pushes = np.where(np.isnan(numbers), 9.0, numbers / 10)
    values = np.stack([pushes + generator.normal(size=400), (frame["f1"] == "b") * 2.0], axis=1)[:, :, None]
    texts = frame.astype(object).where(frame.notna(), "missing").astype(str)
    attribution = cases.attribution(values)
    record = dependence(attribution, "f0", frame=frame, texts=texts)
    found = trend(record)
    assert found.counts.sum() == 400
    assert len(found.counts) == 11
    assert found.texts[0] == "missing"
    assert found.places[0] == record.axis.missing_place
    assert found.push.low[0] < 9 < found.push.high[0]
    covered = (found.push.low[1:] < found.places[1:] / 10) & (found.places[1:] / 10 < found.push.high[1:])
    assert covered.sum() >= 9
    assert found.texts[1].startswith("0.0 to ")
    by_name = trend(dependence(attribution, "f1", frame=frame, texts=texts))
    assert (list(by_name.texts), by_name.push.values.tolist()) == (["a", "b"], [0, 2])
    assert by_name.places.tolist() == [0, 1]
    with pytest.raises(ValueError, match="at least one group"):
        trend(record, n_groups=0)


def test_a_trend_of_one_value_of_one_row_and_of_missing_cells_alone(attribution):
    same = trend(dependence(attribution, "f0", frame=FRAME.assign(f0=2.0), texts=TEXTS.assign(f0="2.0")))
    assert (same.counts.tolist(), list(same.texts), same.is_thin.tolist()) == ([4], ["2.0"], [True])
    none = trend(dependence(attribution, "f0", frame=FRAME.assign(f0=np.nan), texts=TEXTS.assign(f0="missing")))
    assert (none.counts.tolist(), list(none.texts)) == ([4], ["missing"])
    one = trend(dependence(attribution.take([2]), "f2", frame=FRAME.iloc[[2]], texts=TEXTS.iloc[[2]]))
    assert np.isnan(one.push.low).all()
    assert one.push.values.tolist() == attribution.values[[2], 2, 0].tolist()


def _moderated(cases, n_rows=400, noise=0.05):
    """The push of f0 is its value times f1, plus noise; f2 and the category f3 have nothing to do with it."""
    generator = np.random.default_rng(5)
    frame = pd.DataFrame(generator.normal(size=(n_rows, 3)), columns=["f0", "f1", "f2"])
    frame["f3"] = pd.Series(generator.choice(["a", "b", None], n_rows), dtype="str")
    pushes = frame["f0"] * frame["f1"] + generator.normal(0, noise, n_rows)
    values = np.zeros((n_rows, 4, 1))
    values[:, 0, 0] = pushes
    texts = frame.astype(object).where(frame.notna(), "missing").astype(str)
    return dependence(cases.attribution(values), "f0", frame=frame, texts=texts), frame


def test_the_column_that_moderates_is_suggested_first(cases):
    record, frame = _moderated(cases)
    first, *others = interacting(record, frame)
    assert first.feature == "f1"
    assert first.share > 0.5
    assert all(partner.share < 0.1 for partner in others)
    assert {partner.feature for partner in (first, *others)} == {"f1", "f2", "f3"}


def test_a_category_can_moderate_and_its_missing_cells_are_a_group(cases):
    _, frame = _moderated(cases)
    sign = frame["f3"].map({"a": 1.0, "b": -1.0}).fillna(0.0).to_numpy()
    values = np.zeros((len(frame), 4, 1))
    values[:, 0, 0] = frame["f0"] * sign
    again = dependence(cases.attribution(values), "f0", frame=frame, texts=frame.astype(str))
    assert interacting(again, frame)[0].feature == "f3"
    assert interacting(again, frame)[0].share > 0.5


def test_chance_alone_explains_nothing_on_average(cases):
    shares = []
    for seed in range(20):
        generator = np.random.default_rng(seed)
        frame = pd.DataFrame(generator.normal(size=(100, 2)), columns=["f0", "f1"])
        record = dependence(
            cases.attribution(generator.normal(size=(100, 2, 1))), "f0", frame=frame, texts=frame.astype(str)
        )
        shares.append(interacting(record, frame)[0].share)
    assert np.mean(shares) < 0.06, "without the correction for the number of ranges it would be about 0.15"


def test_too_few_rows_or_no_spread_suggest_nothing(cases):
    frame = pd.DataFrame({"f0": [1.0, 2.0, 3.0], "f1": [3.0, 1.0, 2.0]})
    record = dependence(cases.attribution(np.ones((3, 2, 1))), "f0", frame=frame, texts=frame.astype(str))
    assert [partner.share for partner in interacting(record, frame)] == [0.0]
    with pytest.raises(ValueError, match="cells of 3 rows"):
        interacting(record, frame.head(2))
