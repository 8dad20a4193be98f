"""What all settings share: they validate themselves, and reject unknown keys and wrong types by name."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

from tabnet_engine.errors import ConfigError

__all__ = ["Settings", "require"]

_LONG = 10**18  # a number that long is shown in short


@dataclass(frozen=True, kw_only=True)
class Settings:
    """JSON in, JSON out; the classes of settings inherit from this one."""

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Build the settings from plain values (JSON, or text from ``--set key=value``).

        Raises:
            ConfigError: an unknown key, a value of the wrong type, or one outside its range.
        """
        known = {field.name for field in dataclasses.fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            message = f"unknown setting {unknown[0]!r}; the settings here are {', '.join(sorted(known))}"
            raise ConfigError(message)
        hints = typing.get_type_hints(cls)
        return cls(**{key: _coerce(key, value, hints[key]) for key, value in values.items()})

    def to_mapping(self) -> dict[str, Any]:
        """The settings as plain JSON values."""
        return dataclasses.asdict(self)

    def replace(self, **changes: Any) -> Self:
        """The same settings with some changed, validated again."""
        return type(self).from_mapping({**self.to_mapping(), **changes})


def _coerce(key: str, value: Any, hint: Any) -> Any:
    """Turn ``value`` into the type that the field declares; text is parsed, nothing is truncated."""
    origin: Any = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        if value is None or (isinstance(value, str) and value.lower() == "none"):
            return None
        return _coerce_choice(key, value, [arg for arg in typing.get_args(hint) if arg is not type(None)])
    if origin is tuple:
        return _coerce_list(key, value, typing.get_args(hint)[0])
    if origin is Literal:
        choices = typing.get_args(hint)
        if value not in choices:
            named = ", ".join(str(choice) for choice in choices if choice != "")  # an empty one is to leave it out
            raise ConfigError(f"{key} must be one of {named}, got {value!r}")
        return value
    if hint in {bool, str}:
        return _coerce_bool(key, value) if hint is bool else _coerce_text(key, value)
    return _coerce_number(key, value, hint)


def _coerce_choice(key: str, value: Any, hints: list[Any]) -> Any:
    """The first of several types that the value fits; a list where it is one."""
    listed = isinstance(value, list | tuple) or (isinstance(value, str) and "," in value)
    hints = sorted(hints, key=lambda hint: ("tuple" in str(hint)) != listed)
    return _coerce(key, value, hints[0])


def _coerce_list(key: str, value: Any, hint: Any) -> tuple[Any, ...]:
    """A list, or text with commas; one value alone is a list of one."""
    if isinstance(value, str):
        return tuple(_coerce(key, part.strip(), hint) for part in value.split(",") if part != "")
    # What is a list already keeps its texts as they are: the name of a column may begin with a blank.
    parts = value if isinstance(value, list | tuple) else [value]
    return tuple(_coerce(key, part, hint) for part in parts if part != "")


def _coerce_bool(key: str, value: Any) -> bool:
    text = str(value).lower()
    if text in {"true", "1", "yes"}:
        return True
    if text in {"false", "0", "no"}:
        return False
    raise ConfigError(f"{key} must be true or false, got {value!r}")


def _coerce_text(key: str, value: Any) -> str:
    if not isinstance(value, str):
        raise ConfigError(f"{key} must be text, got {value!r}")
    return value


def _coerce_number(key: str, value: Any, hint: type) -> Any:
    if isinstance(value, bool):
        raise ConfigError(f"{key} must be a number, got {value!r}")
    try:
        number = float(value)
    except OverflowError:  # a whole number with hundreds of digits
        raise ConfigError(f"{key} must be a number of at most 300 digits") from None
    except (TypeError, ValueError):
        raise ConfigError(f"{key} must be a number, got {value!r}") from None
    if hint is float:
        return number
    if not number.is_integer():
        raise ConfigError(f"{key} must be a whole number, got {value!r}")
    return int(number)


def require(name: str, value: float, low: float, high: float = float("inf")) -> None:
    """Raise unless ``low <= value <= high``; NaN fails both comparisons and is refused too."""
    if not low <= value <= high:
        bound = f"at least {low}" if high == float("inf") else f"between {low} and {high}"
        shown = f"{value:g}" if abs(value) >= _LONG else value
        raise ConfigError(f"{name} must be {bound}, got {shown}")
