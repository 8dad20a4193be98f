"""Credit applications made from a rule that is known, so that explanations can be checked against it.

The rule is a sum of one term for each deciding column and nothing else. For such a rule the exact
Shapley values are known in closed form: the term of a row minus the mean term of the background.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = ["CreditTruth", "credit_applications", "credit_contributions"]

_Floats = npt.NDArray[np.float64]

TARGET = "decision"
POSITIVE = "declined"
INTERCEPT = -1.6
MISSING_SHARE = 0.05
CORRELATED_DECOY = ("rent_eur", "income_eur")

_PURPOSE_EFFECT = {"home": -1.0, "car": -0.5, "education": 0.0, "medical": 0.8, "holiday": 1.2, "business": 1.8}
_PURPOSE_SHARE = {"home": 0.26, "car": 0.27, "education": 0.14, "medical": 0.008, "holiday": 0.152, "business": 0.17}
_REGION_SHARE = {"north": 0.27, "south": 0.25, "east": 0.2, "west": 0.2, "centre": 0.075, "islands": 0.005}


def _purpose_term(values: pd.Series[Any]) -> _Floats:
    return np.asarray(values.map(_PURPOSE_EFFECT), dtype=np.float64)


# Each term is the column's part of the log-odds of "declined"; the constants keep its mean near zero.
_TERMS: Mapping[str, Callable[[pd.Series[Any]], Any]] = {
    "debt_ratio": lambda x: 10.0 * (x - 0.37) + 1.0 * (x > 0.5),
    "missed_payments": lambda x: 1.5 * np.minimum(x, 4) - 1.25,
    "income_eur": lambda x: -2.6 * np.log(x / 38_000.0),
    "employment_years": lambda x: 1.4 - 0.35 * np.minimum(x, 8.0),
    "loan_purpose": _purpose_term,
}

_DIRECTIONS = {
    "debt_ratio": "a higher debt ratio leads to decline, more so above 0.5",
    "missed_payments": "each of the first four missed payments leads to decline",
    "income_eur": "a higher income leads to approval",
    "employment_years": "each of the first eight years in the job leads to approval",
    "loan_purpose": "home and car lead to approval; business, holiday and medical to decline",
}

_RULE = (
    f"log-odds of declined = {INTERCEPT} + 10 (debt_ratio − 0.37) + 1 if debt_ratio > 0.5 "
    "+ 1.5 min(missed_payments, 4) − 1.25 − 2.6 ln(income_eur / 38,000) + 1.4 − 0.35 min(employment_years, 8) "
    "+ a constant for each loan_purpose (home −1, car −0.5, education 0, medical 0.8, holiday 1.2, business 1.8); "
    "a missing cell adds nothing"
)


@dataclass(frozen=True, eq=False)
class CreditTruth:
    """The rule behind the table, and what it says about each row (B).

    ``deciding`` are the columns that decide, strongest first by the mean absolute deviation of their
    term from its mean (what a global Shapley importance measures); ``contributions`` (B, deciding) are
    the terms and ``log_odds`` (B) their sum with ``intercept``, for the class ``positive``.
    ``correlated_decoy`` goes with ``correlated_with`` but decides nothing. ``auc_ceiling`` is the AUC of
    the true log-odds: no model can be expected to do better.
    """

    deciding: tuple[str, ...]
    importance: tuple[float, ...]
    directions: Mapping[str, str]
    decoys: tuple[str, ...]
    correlated_decoy: str
    correlated_with: str
    rule: str
    positive: str
    intercept: float
    contributions: pd.DataFrame
    log_odds: _Floats
    auc_ceiling: float


def credit_contributions(frame: pd.DataFrame) -> pd.DataFrame:
    """The true term of each deciding column for any rows (B, 5), also changed or invented ones.

    Each is the column's part of the log-odds of "declined"; a missing cell adds 0.
    """
    terms = {name: pd.Series(term(frame[name]), index=frame.index) for name, term in _TERMS.items()}
    complete = {name: values.astype(np.float64).where(frame[name].notna(), 0.0) for name, values in terms.items()}
    return pd.DataFrame(complete)


def credit_applications(n_rows: int = 5000, seed: int = 0) -> tuple[pd.DataFrame, CreditTruth]:
    """Draw a table of credit applications and the truth about it.

    Args:
        n_rows: applications, at least 1.
        seed: the same seed gives the same table.

    Returns:
        The table (n_rows, 13) with the target "decision", and the truth.

    Raises:
        ValueError: ``n_rows`` is below 1.
    """
    if n_rows < 1:
        raise ValueError(f"n_rows must be at least 1, got {n_rows}")
    generator = np.random.default_rng(seed)
    frame = _draw_applicants(n_rows, generator)
    _drop_cells(frame, generator)
    contributions = credit_contributions(frame)
    log_odds = INTERCEPT + contributions.to_numpy().sum(axis=1)
    declined = generator.random(n_rows) < 1 / (1 + np.exp(-log_odds))
    frame[TARGET] = pd.Series(np.where(declined, POSITIVE, "approved"), dtype="str")
    return frame, _truth(frame, contributions, log_odds, declined)


def _draw_applicants(n: int, generator: np.random.Generator) -> pd.DataFrame:
    wealth = generator.normal(size=n)
    age = np.clip(generator.normal(41, 12, n), 19, 75)
    income = 38_000 * np.exp(0.42 * wealth)
    # A correlation of .6 on the log scale: rent goes with income, and decides nothing.
    rent = 850 * np.exp(0.35 * (0.66 * wealth + 0.75 * generator.normal(size=n)))
    employment = np.minimum(generator.gamma(1.3, 4.2, n), age - 18)
    days = generator.integers(0, 366, n)
    return pd.DataFrame(
        {
            "applicant_id": pd.Series([f"A-{number:06d}" for number in generator.permutation(n) + 1], dtype="str"),
            "application_date": np.datetime64("2024-01-01", "us") + days.astype("timedelta64[D]"),
            "age_years": np.round(age),
            "region": _pick(_REGION_SHARE, n, generator),
            "income_eur": np.round(income, -2),
            "rent_eur": np.round(rent, -1),
            "employment_years": np.round(employment, 1),
            "debt_ratio": np.round(generator.beta(2.6, 4.6, n), 3),
            "missed_payments": np.minimum(generator.negative_binomial(1.1, 0.55, n), 9).astype(np.float64),
            "loan_amount_eur": np.round(np.exp(generator.normal(9.2, 0.7, n)), -2),
            "loan_purpose": _pick(_PURPOSE_SHARE, n, generator),
            "newsletter": generator.random(n) < 0.35,
        }
    )


def _pick(shares: Mapping[str, float], n: int, generator: np.random.Generator) -> pd.Series[Any]:
    return pd.Series(generator.choice(list(shares), size=n, p=list(shares.values())), dtype="str")


def _drop_cells(frame: pd.DataFrame, generator: np.random.Generator) -> None:
    """Make a random share of the cells missing, except in the id, the date and the truth value."""
    for name in frame.columns.difference(["applicant_id", "application_date", "newsletter"], sort=False):
        frame.loc[generator.random(len(frame)) < MISSING_SHARE, name] = None


def _truth(
    frame: pd.DataFrame, contributions: pd.DataFrame, log_odds: _Floats, declined: npt.NDArray[np.bool_]
) -> CreditTruth:
    importance = (contributions - contributions.mean()).abs().mean().sort_values(ascending=False)
    deciding = tuple(map(str, importance.index))
    decoy, partner = CORRELATED_DECOY
    return CreditTruth(
        deciding=deciding,
        importance=tuple(importance.tolist()),
        directions=_DIRECTIONS,
        decoys=tuple(name for name in frame.columns if name not in {*deciding, "applicant_id", TARGET}),
        correlated_decoy=decoy,
        correlated_with=partner,
        rule=_RULE,
        positive=POSITIVE,
        intercept=INTERCEPT,
        contributions=contributions[list(deciding)],
        log_odds=log_odds,
        auc_ceiling=_auc(log_odds, declined),
    )


def _auc(scores: _Floats, positive: npt.NDArray[np.bool_]) -> float:
    """Share of pairs that the scores order rightly (Mann and Whitney); NaN with one class only."""
    n_positive = int(positive.sum())
    n_pairs = n_positive * (len(positive) - n_positive)
    if n_pairs == 0:
        return float("nan")
    ranks = pd.Series(scores).rank().to_numpy()
    return float((ranks[positive].sum() - n_positive * (n_positive + 1) / 2) / n_pairs)
