"""Which groups are compared, and what counts as being selected."""

from __future__ import annotations

from dataclasses import dataclass

from tabnet_engine.config.settings import Settings, require
from tabnet_engine.errors import ConfigError

__all__ = ["AuditConfig"]


@dataclass(frozen=True, kw_only=True)
class AuditConfig(Settings):
    """A comparison of the groups of one protected column, or of two crossed; an empty text is left to the run.

    Attributes:
        column: the protected column; the run need not read it.
        crossed_with: a second one, whose groups are crossed with those of the first.
        target: which of several targets; the first when empty.
        favourable: the class that is decided in a person's favour; the positive one of a binary target when empty.
        cutoff: the probability, or the predicted quantity, from which a row is selected; 0.5 of a binary target when
            None.
        is_high_favourable: of a quantity, whether to be above the cutoff is the favourable side.
        reference: the group that ratios are against; the largest when empty.
        n_ranges: how many ranges of about equally many rows a number or date is cut into.
        cuts: where ``column`` is cut instead, ascending numbers or dates as text; a range starts at each cut.
        crossed_cuts: the same of ``crossed_with``.
        proxies: whether to look for columns that give the protected one away; only of one column.
        seed: of every draw.

    Raises:
        ConfigError: no column, one crossed with itself, or a number outside its range.
    """

    column: str
    crossed_with: str = ""
    target: str = ""
    favourable: str = ""
    cutoff: float | None = None
    is_high_favourable: bool = True
    reference: str = ""
    n_ranges: int = 4
    cuts: tuple[str, ...] = ()
    crossed_cuts: tuple[str, ...] = ()
    proxies: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.column:
            raise ConfigError("column must name the protected column whose groups are compared")
        if self.crossed_with == self.column:
            raise ConfigError(f"column {self.column!r} cannot be crossed with itself; choose another one")
        if self.crossed_cuts and not self.crossed_with:
            raise ConfigError("crossed_cuts cut the column crossed_with, and none is named")
        if self.cutoff is not None:
            require("cutoff", self.cutoff, -1e300, 1e300)
        require("n_ranges", self.n_ranges, 2, 50)
        require("seed", self.seed, 0, 2**32 - 1)
