"""What a report is asked for: its kind, its profile, what counts as approved, and how much is computed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from tabnet_engine.config.settings import Settings, require
from tabnet_engine.errors import ConfigError
from tabnet_engine.texts.speaking import msg

__all__ = ["ABOUT_ROWS", "KIND_WORDS", "REPORT_KINDS", "ReportConfig", "ReportKind", "kind_words"]

ReportKind = Literal["decision", "notice", "model", "comparison"]
REPORT_KINDS: tuple[ReportKind, ...] = ("decision", "notice", "model", "comparison")
ABOUT_ROWS: tuple[ReportKind, ...] = ("decision", "notice")  # the others are about a run, or two
KIND_WORDS: Mapping[str, str] = {
    "decision": msg("decision report"),
    "notice": msg("notice"),
    "model": msg("model report"),
    "comparison": msg("comparison report"),
}


def kind_words(kinds: Iterable[ReportKind]) -> str:
    """Kinds of report in English words, for a sentence.

    >>> kind_words(["decision", "model"])
    'decision report, model report'
    """
    return ", ".join(KIND_WORDS[kind] for kind in kinds)


@dataclass(frozen=True, kw_only=True)
class ReportConfig(Settings):
    """A report of one kind under one regulation profile, in one language.

    Attributes:
        kind: decision (one row), notice (the letter about one row), model, or comparison (of two runs).
        profile: which regulation profile; empty takes the first that has this kind.
        language: of every text in it.
        target: which of several targets; the first when empty.
        favourable: the class that is decided in a person's favour; by its name when empty, which the report says.
        cutoff: the probability, or the predicted quantity, from which a row is approved; 0.5 of a binary target when
            None.
        baseline_cutoff: the cutoff of the champion of a comparison; the same as ``cutoff`` when None.
        is_high_favourable: of a quantity, whether to be above the cutoff is the favourable side.
        protected: columns that must not be a reason, nor their proxies; the run need not read them.
        proxy_strength: the share of a protected column's variance told by one column alone from which that column
            counts as its proxy, where its whole interval lies above 0.
        max_reasons: at most so many principal reasons.
        n_reference: approved rows at or just above the cutoff that reasons are measured against.
        n_evaluations: the budget of SHAP for a row; the method's default when None.
        n_repetitions: for each cause that might unsettle a reason, how often the row is explained again.
        n_counterfactuals: proposals of how the outcome could have been another; none when 0.
        max_changes: of a proposal.
        fixed: columns that no proposal changes; protected ones are never changed.
        rising: columns that a proposal changes upwards only.
        falling: columns that a proposal changes downwards only.
        seed: of every draw.
        time: ISO 8601 with its zone; the present time when empty. The same request at the same time is the same
            report, byte for byte.

    Raises:
        ConfigError: a value outside its range, a column that is to rise and to fall, or a champion where none is.
    """

    kind: Literal["decision", "notice", "model", "comparison"] = "decision"
    profile: str = ""
    language: Literal["en", "zh"] = "en"
    target: str = ""
    favourable: str = ""
    cutoff: float | None = None
    baseline_cutoff: float | None = None
    is_high_favourable: bool = True
    protected: tuple[str, ...] = ()
    proxy_strength: float = 0.1
    max_reasons: int = 4
    n_reference: int = 100
    n_evaluations: int | None = None
    n_repetitions: int = 10
    n_counterfactuals: int = 2
    max_changes: int = 3
    fixed: tuple[str, ...] = ()
    rising: tuple[str, ...] = ()
    falling: tuple[str, ...] = ()
    seed: int = 0
    time: str = ""

    def __post_init__(self) -> None:
        for name, cutoff in (("cutoff", self.cutoff), ("baseline_cutoff", self.baseline_cutoff)):
            if cutoff is not None:
                require(name, cutoff, -1e300, 1e300)
        if self.baseline_cutoff is not None and self.kind != "comparison":
            raise ConfigError(
                "baseline_cutoff is the cutoff of the champion that a comparison report sets a run against, and a "
                f"{KIND_WORDS[self.kind]} has none; leave it out"
            )
        require("proxy_strength", self.proxy_strength, 0.01, 1)
        require("max_reasons", self.max_reasons, 1, 4)
        require("n_reference", self.n_reference, 5, 10_000)
        if self.n_evaluations is not None:
            require("n_evaluations", self.n_evaluations, 1, 10_000_000)
        require("n_repetitions", self.n_repetitions, 0, 1_000)
        require("n_counterfactuals", self.n_counterfactuals, 0, 10)
        require("max_changes", self.max_changes, 1, 50)
        require("seed", self.seed, 0, 2**32 - 1)
        for column in sorted({*self.rising} & {*self.falling}):
            raise ConfigError(f"the column {column!r} cannot be rising and falling at once; name it in one of the two")
        for column in sorted({*self.fixed} & {*self.rising, *self.falling}):
            raise ConfigError(
                f"the column {column!r} cannot be fixed and yet move one way; name it among the fixed columns, or "
                "among the rising or falling ones"
            )
        self._check_time()

    def _check_time(self) -> None:
        from datetime import UTC, datetime

        if not self.time:
            return
        try:
            moment = datetime.fromisoformat(self.time)
            is_told = moment.tzinfo is not None and bool(moment.astimezone(UTC))
        except (ValueError, OverflowError):  # no moment, or one before the first or after the last day there is
            is_told = False
        if not is_told:
            raise ConfigError(
                f"time must be a moment with its zone such as 2026-03-01T09:30:00+00:00, got {self.time!r}"
            )
