import pandas as pd
import pytest

from tabnet_engine.data.alignment import align_labels

CLASSES = ("<=50K", ">50K")


def _labels(*texts) -> pd.Series:
    return pd.Series(texts, dtype="str", name="14", index=range(5, 5 + len(texts)))


@pytest.mark.parametrize(
    ("labels", "deed"),
    [
        (("<=50K.", ">50K.", ">50K."), "the final dot was removed"),
        ((" <=50K", ">50K ", ">50K "), "surrounding blanks were removed"),
        (("<=50k", ">50k", ">50k"), "upper and lower case were ignored"),
        (("<=50k.", ">50k.", ">50k."), "the final dot was removed and case was ignored"),
    ],
)
def test_labels_written_otherwise_are_read(labels, deed):
    fixed, note = align_labels(_labels(*labels), CLASSES)
    assert fixed.tolist() == ["<=50K", ">50K", ">50K"]
    assert fixed.index.tolist() == [5, 6, 7]
    assert fixed.name == "14"
    assert deed in note
    assert "3 rows" in note
    assert '"<=50K"' in note


def test_missing_labels_stay_missing_and_are_not_counted():
    fixed, note = align_labels(_labels("<=50K.", None), CLASSES)
    assert fixed.isna().tolist() == [False, True]
    assert "1 row" in note


@pytest.mark.parametrize(
    "labels",
    [
        ("<=50K", ">50K."),  # one fits as it stands: the other is unknown in earnest
        ("<=50K.", "other."),  # one rule must explain them all
        ("a", "b"),
        (None, None),
    ],
)
def test_anything_else_is_left_alone(labels):
    values = _labels(*labels)
    fixed, note = align_labels(values, CLASSES)
    assert fixed is values
    assert note is None


def test_numbers_that_match_are_left_alone():
    values = pd.Series([0.0, 1.0])
    fixed, note = align_labels(values, ("0", "1"))
    assert fixed is values
    assert note is None


def test_classes_that_differ_only_in_case_are_never_merged():
    assert align_labels(_labels("YES"), ("yes", "Yes"))[1] is None
