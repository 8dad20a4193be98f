"""A torch optimizer's moments, kept from one fit to the next."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Self

__all__ = ["KeptOptimizer"]


class KeptOptimizer:
    """Builds the caller's optimizer and remembers it, so that its state can be carried on or saved.

    Args:
        factory: builds the optimizer on parameters.
        before: of the fit that this one goes on from; its state is loaded where it fits.
    """

    def __init__(self, factory: Callable[[Iterable[Any]], Any], before: KeptOptimizer | None = None) -> None:
        self._factory = factory
        self._before = before
        self._optimizer: Any = None
        self._state: dict[str, Any] | None = None

    @classmethod
    def of(cls, state: dict[str, Any]) -> Self:
        """Moments that were read from a file."""
        kept = cls(_no_factory)
        kept._state = state
        return kept

    def __call__(self, parameters: Iterable[Any]) -> Any:
        """Build the optimizer."""
        self._optimizer = self._factory(parameters)
        state = None if self._before is None else self._before.state()
        if state is not None:
            # Moments go on; learning rate and the like are those of the new fit.
            current = self._optimizer.state_dict()
            self._optimizer.load_state_dict({**current, "state": state["state"]})
        self._before = None
        return self._optimizer

    def state(self) -> dict[str, Any] | None:
        """What ``torch.optim.Optimizer.state_dict`` gives; None before a fit."""
        return self._state if self._optimizer is None else self._optimizer.state_dict()

    def __getstate__(self) -> dict[str, Any]:
        """The moments alone: what built the optimizer may be a function that cannot be copied."""
        return {"_factory": _no_factory, "_before": None, "_optimizer": None, "_state": self.state()}


def _no_factory(parameters: Iterable[Any]) -> Any:
    raise RuntimeError(f"moments alone build no optimizer on {parameters!r}")
