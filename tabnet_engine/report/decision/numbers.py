"""Numbers beside a cutoff: rounding must not put one on the other side of it, nor make another cutoff of the cutoff."""

from __future__ import annotations

from collections.abc import Iterator

from tabnet_engine.explain.wording import amount, probability, signed

__all__ = ["exact", "level_beside", "level_exact", "percent_exact", "quantity_beside", "share_beside", "share_in_full"]

_MOST_DECIMALS = 15
_CERTAIN = 0.0005  # nearer to 0 or 1 a probability is told in words


def exact(value: float) -> str:
    """A number as it was chosen.

    >>> exact(30.0), exact(-1234.5), exact(0.0725)
    ('30', '−1,234.5', '0.0725')
    """
    return f"{value:,.12g}".replace("-", "−")


def percent_exact(share: float) -> str:
    """A cutoff as it was chosen, as a percentage.

    >>> percent_exact(0.5), percent_exact(0.0725)
    ('50 %', '7.25 %')
    """
    return f"{share * 100:.12g} %"


def share_beside(share: float, cutoff: float | None) -> str:
    """A probability with one decimal, with more where it would seem on the other side of the cutoff, or on it.

    >>> share_beside(0.379, 0.5), share_beside(0.49996, 0.5), share_beside(0.5, 0.5)
    ('37.9 %', '49.996 %', '50.0 %')
    """
    if cutoff is None or share < _CERTAIN or share >= 1 - _CERTAIN:
        return probability(share)
    value, bound = share * 100, cutoff * 100
    texts = (f"{value:.{decimals}f}" for decimals in range(1, _MOST_DECIMALS))
    return f"{_apart(texts, value, bound)} %"


def share_in_full(share: float, cutoff: float | None) -> str:
    """A probability with four decimals, with more where it would seem on the other side of the cutoff, or on it.

    >>> share_in_full(0.379, 0.5), share_in_full(0.49999999, 0.5), share_in_full(0.00002, None)
    ('37.9000 %', '49.999999 %', '0.0020 %')
    """
    value = share * 100
    texts = (f"{value:.{decimals}f}" for decimals in range(4, _MOST_DECIMALS))
    return f"{next(texts) if cutoff is None else _apart(texts, value, cutoff * 100)} %"


def level_exact(cutoff: float) -> str:
    """The cutoff of a score of log-odds, with its sign.

    >>> level_exact(0.0), level_exact(-2.5486982)
    ('0', '−2.5487')
    """
    return f"{cutoff:+.6g}".replace("-", "−") if cutoff else "0"


def level_beside(score: float, cutoff: float | None) -> str:
    """A score of log-odds with its sign, with more digits where it would seem on the other side of the cutoff.

    >>> level_beside(-1.4938, 0.0), level_beside(0.0, None), level_beside(-2.5484, -2.5487)
    ('−1.49', '0', '−2.548')
    """
    texts = [signed(score) if score else "0"]
    if cutoff is None:
        return texts[0]
    texts += [f"{score:+,.{decimals}f}".replace("-", "−") for decimals in range(2, _MOST_DECIMALS)]
    return _apart(iter(texts), score, _read(level_exact(cutoff)))


def quantity_beside(value: float, cutoff: float | None) -> str:
    """A quantity with digits that fit it, with more where it would seem on the other side of the cutoff, or on it.

    >>> quantity_beside(29.98, 30.0), quantity_beside(41.3, 30.0), quantity_beside(-2.0, None)
    ('29.98', '41.3', '−2.00')
    """
    sign = "−" if value < 0 else ""
    texts = [f"{sign}{amount(value)}"]
    if cutoff is not None:
        texts += [f"{value:,.{decimals}f}".replace("-", "−") for decimals in range(1, _MOST_DECIMALS)]
    return texts[0] if cutoff is None else _apart(iter(texts), value, cutoff)


def _apart(texts: Iterator[str], value: float, bound: float) -> str:
    """The first text that reads on the side of the bound on which the value lies; else every digit of it."""
    side = _side(value, bound)
    return next((text for text in texts if _side(_read(text), bound) == side), repr(value).replace("-", "−"))


def _side(value: float, bound: float) -> int:
    return (value > bound) - (value < bound)


def _read(text: str) -> float:
    return float(text.replace("−", "-").replace(",", ""))
