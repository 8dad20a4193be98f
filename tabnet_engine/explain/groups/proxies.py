"""Which columns give a protected column away: the record, for pages and reports. No torch, no scikit-learn.

A proxy is a column from which the protected one can be told. Leaving the protected column out of a model does not
keep a model from using it as long as its proxies stay in.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import pandas as pd

from tabnet_engine.explain.estimates import Estimate
from tabnet_engine.explain.wording import column_name, joined, percent
from tabnet_engine.texts.recalling import recalled
from tabnet_engine.texts.speaking import msg, say

__all__ = ["Proxy", "ProxyReport"]

_STRONG = 0.1  # share explained from which a single column is named as a proxy
_MOST_NAMED = 5


@dataclass(frozen=True, kw_only=True)
class Proxy:
    """How well one column alone tells the groups of the protected one in rows it was not fitted to.

    ``strength`` is the share of the protected column's variance (of its groups' indicators) explained out of fold:
    1 tells every row's group, 0 is no better than the groups' shares, below 0 misleads. ``is_read`` tells whether
    the model reads the column.
    """

    column: str
    strength: Estimate
    is_read: bool

    @property
    def is_told_apart(self) -> bool:
        """Whether the whole interval lies above 0."""
        return self.strength.low is not None and self.strength.low > 0


@dataclass(frozen=True, kw_only=True, eq=False)
class ProxyReport:
    """Columns by strength, and how well all of them together tell the protected column.

    ``joint_read`` is the strength of a model fitted to all columns that the run reads, without the protected one;
    ``joint_all`` that of all columns of the table that can be used; ``left_out`` says which could not, and why.
    """

    column: str
    groups: tuple[str, ...]
    proxies: tuple[Proxy, ...]
    joint_read: Estimate
    joint_all: Estimate
    left_out: Mapping[str, str]
    is_feature: bool
    n_rows: int
    how: str
    selection: str
    seed: int

    def __post_init__(self) -> None:
        known = [proxy.strength.value for proxy in self.proxies if proxy.strength.value is not None]
        if len(known) < len(self.proxies) or known != sorted(known, reverse=True):
            raise ValueError("proxies must have a strength and be sorted by it, the strongest first")

    def table(self) -> pd.DataFrame:
        """One line for each column, the strongest first."""
        lines = [
            {
                "column": proxy.column,
                "strength": proxy.strength.value,
                "low": proxy.strength.low,
                "high": proxy.strength.high,
                "read by the model": proxy.is_read,
            }
            for proxy in self.proxies
        ]
        return pd.DataFrame(lines, columns=["column", "strength", "low", "high", "read by the model"])

    @property
    def sentences(self) -> tuple[str, ...]:
        """What a reader must know first, in plain words."""
        name = column_name(self.column)
        said = []
        if self.is_feature:
            said.append(say("The model reads {column} itself; what follows is about the other columns.", column=name))
        strong = [proxy for proxy in self.proxies if proxy.is_told_apart and _value(proxy.strength) >= _STRONG]
        if strong:
            named = joined([f"{proxy.column} ({percent(_value(proxy.strength))})" for proxy in strong[:_MOST_NAMED]])
            said.append(say(_TELLING, column=name, columns=named))
            hidden = [proxy.column for proxy in strong if not proxy.is_read]
            if hidden:
                said.append(say("Of these the model does not read {columns}.", columns=joined(hidden[:_MOST_NAMED])))
        else:
            said.append(say(_NONE_TELLS, share=percent(_STRONG), column=name))
        said.append(_joint_sentence(_JOINT_READ, _JOINT_READ_UNKNOWN, self.joint_read))
        said.append(_joint_sentence(_JOINT_ALL, _JOINT_ALL_UNKNOWN, self.joint_all))
        if self.left_out:
            listed = joined([f"{column} ({recalled(why)})" for column, why in self.left_out.items()])
            said.append(say("Not looked at: {columns}.", columns=listed))
        return tuple(said)

    @property
    def note(self) -> str:
        """How it was measured, for beside the figure."""
        told = say(
            "{selection}, {n_groups} groups of {column}.",
            selection=recalled(self.selection),
            n_groups=len(self.groups),
            column=self.column,
        )
        return f"{told} {recalled(self.how)}"

    def to_mapping(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {
            **values,
            "groups": list(self.groups),
            "proxies": [dataclasses.asdict(proxy) for proxy in self.proxies],
            "joint_read": self.joint_read.to_mapping(),
            "joint_all": self.joint_all.to_mapping(),
            "left_out": dict(self.left_out),
        }

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_mapping` wrote."""
        return cls(
            column=str(values["column"]),
            groups=tuple(values["groups"]),
            proxies=tuple(
                Proxy(
                    column=str(item["column"]),
                    strength=Estimate.from_mapping(item["strength"]),
                    is_read=bool(item["is_read"]),
                )
                for item in values["proxies"]
            ),
            joint_read=Estimate.from_mapping(values["joint_read"]),
            joint_all=Estimate.from_mapping(values["joint_all"]),
            left_out={str(name): str(why) for name, why in values["left_out"].items()},
            is_feature=bool(values["is_feature"]),
            n_rows=int(values["n_rows"]),
            how=str(values["how"]),
            selection=str(values["selection"]),
            seed=int(values["seed"]),
        )


def _value(estimate: Estimate) -> float:
    return 0.0 if estimate.value is None else estimate.value


_TELLING = msg("Columns that tell {column} by themselves (share of its variance, in new rows): {columns}.")
_NONE_TELLS = msg("No single column tells {share} or more of the variance of {column} in new rows.")
_JOINT_READ = msg("All columns that the model reads together tell {share} ({low} to {high}) of it.")
_JOINT_READ_UNKNOWN = msg("All columns that the model reads together tell an unknown share of it.")
_JOINT_ALL = msg("All columns of the table together tell {share} ({low} to {high}).")
_JOINT_ALL_UNKNOWN = msg("All columns of the table together tell an unknown share.")


def _joint_sentence(known: str, unknown: str, estimate: Estimate) -> str:
    if estimate.value is None:
        return say(unknown)
    low, high = (percent(max(0.0, end)) if end is not None else "?" for end in (estimate.low, estimate.high))
    return say(known, share=percent(max(0.0, estimate.value)), low=low, high=high)
