import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabnet_engine.training.history import EpochRecord, History

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
RECORDS = st.builds(
    EpochRecord,
    epoch=st.integers(1, 1000),
    seconds=NUMBERS,
    train_loss=NUMBERS,
    validation_loss=NUMBERS,
    learning_rate=NUMBERS,
    sparsity=NUMBERS,
    validation=st.dictionaries(st.sampled_from(["auc", "rmse"]), st.none() | NUMBERS),
)


def record(epoch, **changes):
    values = {
        "seconds": 0.5,
        "train_loss": 1.0,
        "validation_loss": 2.0,
        "learning_rate": 0.01,
        "sparsity": 0.3,
        "validation": {"auc": None},
    }
    return EpochRecord(epoch=epoch, **{**values, **changes})


@given(RECORDS)
def test_a_record_survives_json(item):
    assert EpochRecord.from_mapping(json.loads(json.dumps(item.to_mapping()))) == item


@given(st.lists(RECORDS, min_size=1, max_size=4, unique_by=lambda item: item.epoch), st.data())
def test_a_history_survives_json_lines(records, data):
    best = data.draw(st.sampled_from(records)).epoch
    history = History(tuple(records), best)
    text = history.to_json_lines()
    assert len(text.splitlines()) == len(records) == len(history)
    assert History.from_json_lines(text) == history
    assert list(history) == records
    assert history.best.epoch == best


def test_a_record_refuses_missing_and_unknown_parts():
    whole = record(1).to_mapping()
    with pytest.raises(ValueError, match="an epoch has"):
        EpochRecord.from_mapping({**whole, "extra": 1})
    whole.pop("sparsity")
    with pytest.raises(ValueError, match="an epoch has"):
        EpochRecord.from_mapping(whole)


def test_exactly_one_epoch_must_be_the_best():
    lines = [json.dumps({**record(epoch).to_mapping(), "best": True}) for epoch in (1, 2)]
    with pytest.raises(ValueError, match="found 2"):
        History.from_json_lines("\n".join(lines))
    with pytest.raises(ValueError, match="found 0"):
        History.from_json_lines(json.dumps(record(1).to_mapping()))


def test_a_network_that_was_not_trained_here_has_no_epochs():
    assert History.from_json_lines(History((), 0).to_json_lines()) == History((), 0)
    with pytest.raises(ValueError, match="no epoch 0"):
        _ = History((), 0).best


def test_records_from_before_there_were_further_tables_are_read():
    old = record(1).to_mapping()
    del old["evaluation"]
    assert EpochRecord.from_mapping(old) == record(1)


def test_further_tables_and_absent_validation_survive_json():
    item = record(1, validation_loss=None, validation={}, evaluation={"later": {"loss": 0.5, "auc": None}})
    assert History.from_json_lines(History((item,), 1).to_json_lines()).records == (item,)


def test_a_best_epoch_that_is_not_there_is_a_defect():
    with pytest.raises(ValueError, match="no epoch 3"):
        _ = History((record(1),), 3).best


def test_nan_is_never_written():
    with pytest.raises(ValueError, match="JSON compliant"):
        History((record(1, train_loss=float("nan")),), 1).to_json_lines()
