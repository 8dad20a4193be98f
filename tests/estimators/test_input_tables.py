"""Whatever holds the rows, the network reads the same; what does not fit is refused in one sentence."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st

from tabnet_engine.data.schema import Kind
from tabnet_engine.estimators import InputError, ParameterError, TabNetClassifier, TabNetRegressor
from tabnet_engine.estimators.input_table import as_frame, column_names, in_order, learned_columns, read_rows


@pytest.fixture(scope="module")
def tiny(small):
    return TabNetClassifier(**small, max_epochs=2, batch_size=64)


def fitted(tiny, rows, labels):
    return TabNetClassifier(**tiny.get_params()).fit(rows, labels)


def test_frames_arrays_and_sparse_rows_give_one_network(census, tiny):
    rows, labels = census.frame, census.labels
    expected = fitted(tiny, rows.to_numpy(), labels).predict_proba(rows.to_numpy())
    for wrap in (
        scipy.sparse.csr_matrix,
        scipy.sparse.csc_array,
        lambda frame: frame.to_numpy().tolist(),
        pd.DataFrame,
    ):
        model = fitted(tiny, wrap(rows), labels)
        assert np.array_equal(model.predict_proba(wrap(rows)), expected)


def test_a_frame_keeps_its_names_and_finds_its_categories(census, tiny):
    frame = census.frame.assign(
        job=pd.Categorical(census.frame["job"].map("job {:.0f}".format)),
        sector=census.frame["sector"].map({0.0: "north", 1.0: "south", 2.0: None}),
        married=census.frame["age"] > 30,
        since=pd.Timestamp("2020-01-01") + pd.to_timedelta(census.frame["age"], unit="D"),
    )
    model = fitted(tiny, frame, census.labels)
    assert model.feature_names_in_.tolist() == list(frame.columns)
    kinds = {column.name: column.kind for column in model.schema_.features}
    assert kinds == {
        "age": Kind.NUMBER,
        "job": Kind.CATEGORY,
        "sector": Kind.CATEGORY,
        "hours": Kind.NUMBER,
        "married": Kind.BOOLEAN,
        "since": Kind.DATETIME,
    }
    assert model.explain(frame)[0].shape == frame.shape, "masks are on the caller's own columns"
    with pytest.raises(ValueError, match="must be in the same order"):
        model.predict(frame[frame.columns[::-1]])


def test_missing_and_unseen_cells_have_states_of_their_own(census, tiny):
    frame = census.frame.assign(job=census.frame["job"].map("job {:.0f}".format))
    frame.loc[::7, "hours"] = np.nan
    frame.loc[::11, "job"] = None
    model = fitted(tiny, frame, census.labels)
    strange = frame.head(3).assign(job=["astronaut", None, "job 1"])
    shares = model.predict_proba(strange)
    assert np.isfinite(shares).all()
    assert not np.array_equal(shares[0], model.predict_proba(frame.head(3))[0])


def test_codes_out_of_the_stated_range_are_named(census, tiny):
    with pytest.raises(InputError, match=r"column 'x1', row \d+: the code 5 is outside 0 to 4"):
        TabNetClassifier(cat_idxs=[1], cat_dims=[5]).fit(census.X_train, census.y_train)
    model = TabNetClassifier(**{**tiny.get_params(), "cat_idxs": [1], "cat_dims": [6]}).fit(
        census.X_train, census.y_train
    )
    later = census.X_test.copy()
    later[0, 1] = 99
    assert np.isfinite(model.predict_proba(later)).all(), "a code never seen is a state, not a crash"


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"cat_idxs": [7]}, "cat_idxs names the column 7, but the table has 4 columns"),
        ({"cat_idxs": [1, -3]}, "cat_idxs names the column 'x1' twice"),
        ({"cat_idxs": ["town"]}, "cat_idxs names the column 'town', which the table does not have"),
        ({"cat_idxs": [1, 2], "cat_dims": [6]}, "cat_dims must have one entry for each of cat_idxs, got 1 for 2"),
        ({"cat_idxs": [1, 2], "cat_emb_dim": [1, 2, 3]}, "cat_emb_dim must be one number or have one for each"),
        ({"grouped_features": [[0, 1], [1, 2]]}, "grouped_features names the column 'x1' twice"),
        ({"grouped_features": [[0], []]}, "none of them empty"),
        ({"grouped_features": [0, 1]}, "must be a list of lists"),
        ({"grouped_features": [[0, 9]]}, "grouped_features names the column 9"),
        ({"n_steps": 0}, "n_steps must be between 1 and 1024, got 0"),
        ({"mask_type": "softmax"}, "mask_type must be sparsemax or entmax, got 'softmax'"),
        ({"preset": "quick"}, "preset must be one of best, paper"),
        ({"settings": {"n_dd": 3}}, "unknown setting 'n_dd'"),
        ({"batch_size": 1}, "batch_size must be between 2"),
        ({"device_name": "tpu"}, "device must be one of auto, cuda, cpu"),
    ],
)
def test_parameters_that_do_not_fit_are_refused_by_name(census, parameters, message):
    with pytest.raises(ParameterError, match=message):
        TabNetClassifier(**parameters).fit(census.X_train, census.y_train)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda frame: frame.assign(age=np.where(frame["age"] > 40, np.inf, 1.0)), "infinity: column 'age', row"),
        (lambda frame: frame.assign(age=frame["age"] + 1j), "Complex data not supported"),
        (lambda frame: frame.iloc[:0], "0 sample"),
        (lambda frame: frame[[]], "0 feature"),
        (lambda frame: frame.iloc[:1], "at least 2 rows"),
        (lambda frame: frame.set_axis(["a", "b", "a", "c"], axis=1), "several columns named 'a'"),
    ],
)
def test_rows_that_do_not_fit_are_refused(census, tiny, change, message):
    frame = change(census.frame)
    with pytest.raises(ValueError, match=message):
        fitted(tiny, frame, census.labels[: len(frame)])


def test_columns_of_another_type_are_refused_at_predict(census, tiny):
    model = fitted(tiny, census.frame, census.labels)
    with pytest.raises(InputError, match="column 'age', row 0: \"old\" is not a number"):
        model.predict(census.frame.astype({"age": object}).assign(age="old"))
    frame = census.frame.set_axis([0, 1, 0, 3], axis=1)
    with pytest.raises(InputError, match="several columns named '0'"):
        fitted(tiny, frame, census.labels)
    with pytest.raises(ValueError, match=r"seen at fit time, yet now missing"):
        model.predict(census.frame.iloc[:, :2])
    model = fitted(tiny, census.X_train, census.y_train)
    with pytest.raises(ValueError, match="X has 2 features, but TabNetClassifier is expecting 4"):
        model.predict(census.X_test[:, :2])


def test_an_evaluation_frame_is_read_by_name(census, tiny):
    model = TabNetClassifier(**tiny.get_params())
    sets = [(census.frame, census.labels), (census.frame[["hours", "sector", "age", "job"]], census.labels)]
    model.fit(census.frame, census.labels, eval_set=sets)
    assert model.history["val_0_auc"] == model.history["val_1_auc"]
    with pytest.raises(InputError, match="evaluation set 'val_0': the table has no column 'age'"):
        model.fit(census.frame, census.labels, eval_set=[(census.frame.drop(columns="age"), census.labels)])
    with pytest.raises(InputError, match="evaluation set 'val_0': the table has 3 columns, but the network reads 4"):
        model.fit(census.X_train, census.y_train, eval_set=[(census.X_train[:, 1:], census.y_train)])


def test_embedding_sizes_follow_their_columns_whatever_the_order(census, small):
    widths = []
    for order in ([1, 2], [2, 1]):
        size = {1: 5, 2: 3}
        model = TabNetClassifier(**small, max_epochs=1, cat_idxs=order, cat_emb_dim=[size[index] for index in order])
        model.fit(census.X_train, census.y_train)
        tables = model.network_.embedding.categorical
        widths.append([(int(table.slots[0]), table.weight.shape[1]) for table in tables])
    assert widths[0] == widths[1] == [(1, 3), (0, 5)]


def test_columns_of_a_group_share_one_entry_of_every_mask(census, small):
    model = TabNetClassifier(**small, max_epochs=1, grouped_features=[[0, 3]]).fit(census.X_train, census.y_train)
    assert model.network_.encoder.attention.weight.shape[1] == 3
    for mask in model.explain(census.X_test)[1].values():
        share = mask[:, 0] / np.where(mask[:, 3] > 0, mask[:, 3], 1)
        assert np.allclose(share[mask[:, 3] > 0], share[mask[:, 3] > 0][0]), "divided in a fixed proportion"


def test_the_target_never_takes_a_column_name(census, small):
    frame = census.frame.rename(columns={"age": "target"})
    model = TabNetRegressor(**small, max_epochs=1).fit(frame, pd.Series(census.score, name="hours"))
    assert model.schema_.target.name == "hours (2)"
    assert model.schema_.feature_names == tuple(frame.columns)


cells = st.one_of(st.none(), st.booleans(), st.integers(-5, 5), st.floats(allow_infinity=False), st.text(max_size=3))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(cells, min_size=2, max_size=2), min_size=2, max_size=6))
def test_any_matrix_of_cells_is_read_or_refused(rows):
    """Mixed contents never crash on their way to a table of the same shape."""
    matrix = np.array(rows, dtype=object)
    read = read_rows(matrix)
    frame = as_frame(read, column_names(read))
    assert frame.shape == matrix.shape
    columns = learned_columns(frame, (), (), ())
    assert [column.name for column in columns] == ["x0", "x1"]


def test_columns_are_found_by_name_even_where_they_are_called_as_those_of_arrays():
    rows = pd.DataFrame(np.arange(6.0).reshape(2, 3), columns=["x0", "x1", "x2"])
    names = column_names(rows.to_numpy())
    assert in_order(rows[["x2", "x0", "x1"]], names).equals(rows)
    other = rows.set_axis(["c", "a", "b"], axis=1)
    assert in_order(other, names).equals(other), "other names say nothing: the places count"
