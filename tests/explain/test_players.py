"""Players: every feature has one, groups stand where their first column stands."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.players import Players


def test_columns_play_for_themselves():
    players = Players.columns(["a", "b"])
    assert players.names == ("a", "b")
    assert players.groups(["a", "b"]) == {}


def test_groups_move_together_where_their_first_column_stands():
    players = Players.grouped(["a", "b", "c", "d"], {"pair": ["d", "b"]})
    assert players.names == ("a", "pair", "c")
    assert players.members == ((0,), (1, 3), (2,))
    assert players.of_feature.tolist() == [0, 1, 2, 1]
    assert players.groups(["a", "b", "c", "d"]) == {"pair": ("b", "d")}


def test_a_group_may_bear_the_name_of_its_own_column():
    assert Players.grouped(["a", "b"], {"a": ["a", "b"]}).members == ((0, 1),)


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        ({"g": ["x"]}, "'x'"),
        ({"g": ["a"], "h": ["a"]}, "two groups"),
        ({"g": []}, "at least one column"),
        ({"": ["a"]}, "must have a name"),
        ({"c": ["a", "b"]}, "another name"),
    ],
)
def test_groups_that_cannot_be_are_refused(groups, words):
    with pytest.raises(ExplanationError, match=words):
        Players.grouped(["a", "b", "c"], groups)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=12))
def test_every_feature_has_exactly_one_player(owners):
    features = [f"x{index}" for index in range(len(owners))]
    groups = {f"g{o}": [f for f, owner in zip(features, owners, strict=True) if owner == o] for o in set(owners) if o}
    players = Players.grouped(features, groups)
    assert sorted(index for owned in players.members for index in owned) == list(range(len(features)))
    for index, feature in enumerate(features):
        expected = f"g{owners[index]}" if owners[index] else feature
        assert players.names[players.of_feature[index]] == expected
