"""Who plays the game of an attribution: one raw column each, or a group of columns that the user named.

Shapes: F raw features, P players.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from tabnet_engine.errors import ExplanationError

__all__ = ["Players"]


@dataclass(frozen=True)
class Players:
    """P players. ``members`` holds the positions of each player's raw features; every feature has one player.

    An embedded category, the parts of a date and a missing state belong to their raw column, so they always move
    as a whole (one raw column is one player); columns of one group move together too.
    """

    names: tuple[str, ...]
    members: tuple[tuple[int, ...], ...]

    def __post_init__(self) -> None:
        if len(self.names) != len(self.members):
            raise ValueError(f"{len(self.names)} names cannot belong to {len(self.members)} players")
        played = sorted(feature for owned in self.members for feature in owned)
        if played != list(range(len(played))) or not all(self.members):
            raise ValueError("every raw feature must belong to exactly one player, and every player to a feature")

    @classmethod
    def columns(cls, features: Sequence[str]) -> Self:
        """One player for each raw feature."""
        return cls(tuple(features), tuple((place,) for place in range(len(features))))

    @classmethod
    def grouped(cls, features: Sequence[str], groups: Mapping[str, Sequence[str]]) -> Self:
        """One player for each named group of columns, one for each column outside the groups.

        A group stands where its first column stands.

        Args:
            features: the raw features (F) in the table's order.
            groups: column names by the group's name.

        Raises:
            ExplanationError: a column that the run does not read or that is in two groups, an empty group, or a
                group called like a column outside it.
        """
        place = {name: index for index, name in enumerate(features)}
        group_of: dict[int, str] = {}
        for group, columns in groups.items():
            _check_group(group, columns, place)
            for column in columns:
                other = group_of.setdefault(place[column], group)
                if other != group:
                    raise ExplanationError(
                        f"column {column!r} is in two groups, {other!r} and {group!r}; leave it in one"
                    )
        owned: dict[str, list[int]] = {}
        for index, feature in enumerate(features):
            owned.setdefault(group_of.get(index, feature), []).append(index)
        for group, columns in groups.items():
            if sorted(owned[group]) != sorted({place[column] for column in columns}):
                raise ExplanationError(f"the group {group!r} is called like a column outside it; give it another name")
        return cls(tuple(owned), tuple(map(tuple, owned.values())))

    def __len__(self) -> int:
        return len(self.names)

    @property
    def n_features(self) -> int:
        """F, the raw features of all players."""
        return sum(map(len, self.members))

    @property
    def of_feature(self) -> npt.NDArray[np.int64]:
        """The player of each raw feature (F,)."""
        player = np.empty(self.n_features, dtype=np.int64)
        for index, owned in enumerate(self.members):
            player[list(owned)] = index
        return player

    def groups(self, features: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """The players that stand for several columns, or for one under another name, with their columns."""
        columns = {
            name: tuple(features[index] for index in owned)
            for name, owned in zip(self.names, self.members, strict=True)
        }
        return {name: owned for name, owned in columns.items() if owned != (name,)}


def _check_group(group: str, columns: Sequence[str], known: Mapping[str, int]) -> None:
    if not group or not columns:
        raise ExplanationError(f"the group {group!r} must have a name and at least one column")
    for column in columns:
        if column not in known:
            raise ExplanationError(f"the group {group!r} names {column!r}, which is no column that this run reads")
