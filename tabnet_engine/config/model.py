"""Shape of the network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self

from tabnet_engine.config.settings import Settings, require

__all__ = ["ModelConfig"]


@dataclass(frozen=True, kw_only=True)
class ModelConfig(Settings):
    """Shape of one TabNet (Arik & Pfister 2021, section 3); names are the paper's own.

    ``virtual_batch_size`` is the ghost batch V; ``momentum`` is in the torch sense, that is one minus
    the paper's m_B. ``numeric_embedding="none"`` is the paper's plain input; ``"piecewise"`` gives each
    number ``n_bins`` quantile bins and ``d_numeric`` learned dimensions that share one mask.
    ``d_categorical=None`` lets the embedding width follow the number of categories; a list gives each
    categorical column, in table order, a width of its own. ``mask_scaling="width"`` divides what a mask lets
    through by the encoded width of its group, as pytorch-tabnet 4 does. ``entropy_epsilon`` is added inside
    the logarithm of the masks' entropy (paper eq. 3.2); 0 computes the entropy exactly.
    ``missing_states=False`` gives missing cells no learned state. ``two_logits`` predicts two classes as the
    paper does, with a softmax over two logits, instead of one log-odds.
    """

    n_d: int = 16
    n_a: int = 16
    n_steps: int = 3
    n_shared: int = 2
    n_independent: int = 2
    gamma: float = 1.5
    virtual_batch_size: int = 256
    momentum: float = 0.02
    mask_function: Literal["sparsemax", "entmax15"] = "sparsemax"
    numeric_embedding: Literal["piecewise", "none"] = "piecewise"
    n_bins: int = 24
    d_numeric: int = 4
    d_categorical: int | tuple[int, ...] | None = None
    mask_scaling: Literal["none", "width"] = "none"
    entropy_epsilon: float = 0.0
    missing_states: bool = True
    two_logits: bool = False

    def __post_init__(self) -> None:
        for name in ("n_d", "n_a", "n_steps"):
            require(name, getattr(self, name), 1, 1024)
        for name in ("n_shared", "n_independent"):
            require(name, getattr(self, name), 0, 16)
        require("n_shared + n_independent", self.n_shared + self.n_independent, 1)
        require("gamma", self.gamma, 1.0, 10.0)
        require("virtual_batch_size", self.virtual_batch_size, 2)
        require("momentum", self.momentum, 1e-4, 1.0)
        require("n_bins", self.n_bins, 2, 256)
        require("d_numeric", self.d_numeric, 1, 64)
        widths = self.d_categorical if isinstance(self.d_categorical, tuple) else (self.d_categorical,)
        for width in widths:
            if width is not None:
                require("d_categorical", width, 1, 256)
        require("entropy_epsilon", self.entropy_epsilon, 0.0, 0.1)

    @classmethod
    def suggest(cls, *, n_rows: int, n_features: int, n_categorical: int = 0) -> Self:
        """Settings that fit the size of a table; constructors themselves never guess.

        Args:
            n_rows: rows that training will see.
            n_features: raw columns that take part.
            n_categorical: how many of them are categories or truth values.
        """
        few, many = n_rows < 2_000, n_rows >= 50_000
        # Finer inputs cost in proportion to the columns; they were measured on tables of up to 25.
        fine = 12_000 <= n_rows < 50_000 and n_features <= 100
        only_categories = 0 < n_features <= n_categorical
        width = 8 if few or n_features <= 4 else 32 if many else 16
        return cls(
            n_d=width,
            n_a=width,
            # So few rows cannot fill the bins of many columns; a straight line errs less there.
            numeric_embedding="none" if n_rows < 200 else "piecewise",
            n_bins=12 if few else 48 if fine else 24,
            d_numeric=8 if fine else 4,
            # Codes of one meaning in several columns (ranks of cards) are found equal, and told apart, when a code
            # has about as many dimensions as there are codes; a few hundred rows cannot fill them.
            d_categorical=16 if only_categories and not few else None,
            # With few batches an epoch the running statistics must follow faster.
            momentum=0.1 if n_rows < 12_000 else 0.02,
        )

    def for_pretraining(self) -> Self:
        """The same at least 32 wide: to rebuild every column takes more than to predict one.

        On Adult a linear head reads less from an encoder of width 16 (AUC .839) than from one of 32 (.859).
        """
        return self.replace(n_d=max(32, self.n_d), n_a=max(32, self.n_a))

    @classmethod
    def paper(cls) -> Self:
        """The network of the paper to the letter, in the size of its Adult experiment (table of hyper-parameters).

        Plain numbers, categories embedded to one dimension, one mask entry for each, two logits for two
        classes, no state for missing cells.
        """
        return cls(
            n_d=16,
            n_a=16,
            n_steps=5,
            gamma=1.5,
            virtual_batch_size=128,
            momentum=0.02,
            numeric_embedding="none",
            d_categorical=1,
            entropy_epsilon=1e-5,
            missing_states=False,
            two_logits=True,
        )
