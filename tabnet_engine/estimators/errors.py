"""The engine's errors as scikit-learn expects them: the user's mistakes are ``ValueError`` too."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tabnet_engine.errors import ConfigError, SchemaError, UserError

__all__ = ["InputError", "ParameterError", "as_value_errors"]


class InputError(SchemaError, ValueError):
    """Rows, columns or labels that do not fit; one sentence says which."""


class ParameterError(ConfigError, ValueError):
    """A parameter outside its range, or parameters that contradict each other."""


@contextmanager
def as_value_errors() -> Iterator[None]:
    """Give the user's mistakes that the engine reports the type that scikit-learn's tools catch.

    Raises:
        InputError: in place of a :class:`SchemaError`.
        ParameterError: in place of a :class:`ConfigError`.
    """
    try:
        yield
    except (InputError, ParameterError):
        raise
    except ConfigError as error:
        raise ParameterError(str(error)) from error
    except SchemaError as error:
        raise InputError(str(error)) from error
    except UserError as error:
        raise InputError(str(error)) from error
