"""Which columns must not be reasons: those declared as protected, and those that give one of them away.

A proxy is told by the run's stored search for proxies, else by one over the table. torch is not imported.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from tabnet_engine.data.schema import Role
from tabnet_engine.errors import ExplanationError, UserError
from tabnet_engine.explain.groups.finding_proxies import find_proxies
from tabnet_engine.explain.groups.membership import groups_of_column
from tabnet_engine.explain.groups.proxies import ProxyReport
from tabnet_engine.explain.groups.stored import has_proxies, load_proxies
from tabnet_engine.explain.reasons.records import Protection, ProxyLink, Reason
from tabnet_engine.texts.speaking import say

if TYPE_CHECKING:
    import pandas as pd

    from tabnet_engine.config import ReportConfig
    from tabnet_engine.explain.subject import Steering
    from tabnet_engine.runs.artefact import Run

__all__ = ["ProtectedColumns"]

_MAX_ROWS = 10_000  # as many as the search takes: strengths to one hundredth


@dataclass(frozen=True, kw_only=True)
class ProtectedColumns:
    """The columns that count as protected or as a proxy of one, the strongest link of each first.

    ``not_examined`` maps a declared column whose proxies could not be looked for to why, in English; ``how`` maps each
    examined one to how.
    """

    declared: tuple[str, ...]
    links: tuple[ProxyLink, ...]
    not_examined: dict[str, str]
    how: dict[str, str]
    proxy_strength: float

    @classmethod
    def of_run(cls, run: Run, frame: pd.DataFrame, config: ReportConfig, *, steering: Steering | None = None) -> Self:
        """Find the proxies of every declared column among the columns that the model reads.

        Args:
            run: its stored searches are used where there are any.
            frame: the table, which is searched otherwise.
            config: names the columns and the strength from which one is a proxy.
            steering: may cancel between columns.

        Raises:
            ExplanationError: a declared column that neither the run nor the table knows, or the target.
            JobCancelledError: the steering asked to stop.
        """
        declared = tuple(dict.fromkeys(config.protected))
        _check(run, frame, declared)
        stored = {report.column: report for report in load_proxies(run)} if has_proxies(run) else {}
        links, not_examined, how = [], dict[str, str](), dict[str, str]()
        for place, name in enumerate(declared):
            if steering is not None:
                steering.step(place, len(declared))
            links.append(ProxyLink(column=name, protected=name, is_itself=True))
            try:
                report = stored.get(name) or _searched(run, frame, name, config.seed)
            except UserError as error:
                not_examined[name] = str(error)
                continue
            how[name] = f"{report.selection}. {report.how}"
            links.extend(_proxies(report, config.proxy_strength))
        return cls(
            declared=declared,
            links=tuple(links),
            not_examined=not_examined,
            how=how,
            proxy_strength=config.proxy_strength,
        )

    def of_reasons(self, reasons: Sequence[Reason]) -> Protection:
        """Which of the principal reasons are protected or proxies; none is ever dropped for it."""
        principal = {reason.column for reason in reasons}
        return Protection(
            declared=self.declared,
            links=self.links,
            offending=tuple(link for link in self.links if link.column in principal),
            not_examined=self.not_examined,
            proxy_strength=self.proxy_strength,
        )


def _check(run: Run, frame: pd.DataFrame, declared: Sequence[str]) -> None:
    known = {str(name) for name in frame.columns} | {column.name for column in run.schema.columns}
    targets = {column.name for column in run.schema.columns if column.role is Role.TARGET}
    for name in declared:
        if name not in known:
            raise ExplanationError(
                f"there is no column {name!r} to protect, neither in the table nor in the run; check the names of the "
                "protected columns"
            )
        if name in targets:
            raise ExplanationError(f"{name!r} is what is decided, so it cannot be a protected column; leave it out")


def _searched(run: Run, frame: pd.DataFrame, name: str, seed: int) -> ProxyReport:
    """Proxies among the columns that the model reads: no other can be a reason."""
    if name not in frame.columns:
        raise ExplanationError(say("the table has no column '{column}', so nothing tells its groups", column=name))
    rows = np.arange(len(frame))
    if len(rows) > _MAX_ROWS:
        rows = np.sort(np.random.default_rng([seed, 4]).permutation(rows)[:_MAX_ROWS])
    parts = groups_of_column(frame, run.schema, name)
    read = [column for column in run.schema.feature_names if column != name and column in frame.columns]
    words = say("{n_chosen:,} of {n_rows:,} rows of the table", n_chosen=len(rows), n_rows=len(frame))
    return find_proxies(
        frame[[*read, name]].iloc[rows], run.schema, parts.take(rows), selection=words, seed=seed, is_joint=False
    )


def _proxies(report: ProxyReport, least: float) -> list[ProxyLink]:
    return [
        ProxyLink(column=proxy.column, protected=report.column, is_itself=False, strength=proxy.strength)
        for proxy in report.proxies
        if proxy.is_told_apart and proxy.strength.value is not None and proxy.strength.value >= least
    ]
