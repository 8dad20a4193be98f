"""Finding every text in the code, for the catalogue: what is said, what is marked, what an error says.

An error's text may be an f-string: it is gathered as a template, so that what was raised, and stored perhaps,
can be turned into the reader's language by :func:`tabnet_engine.texts.recalling.recalled`. In the rooms whose notes
and warnings are stored in English, every text of some words is gathered in the same way.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Gathered", "gathered", "template_of", "texts_in"]

_ROOT = Path(__file__).resolve().parents[2]
_SPEAKING = "tabnet_engine.texts.speaking"
_SAY, _PLURAL = ("say", "msg"), "say_plural"
_COUNTED = "counted"
_GATHERED = (*_SAY, _PLURAL, _COUNTED)
# Rooms that speak English, for what they say is stored.
_STORED = tuple(
    f"tabnet_engine/{room}/" for room in ("data", "training", "runs", "config", "jobs", "interop", "explain")
)
_NO_TEXT = re.compile(r"\(\?|\w\|\w|%[sd(]|python -m|^\s*(SELECT|CREATE|INSERT|UPDATE|DELETE|PRAGMA)\b")
_BUILTIN_ERRORS = frozenset(name for name in dir(builtins) if name.endswith(("Error", "Exception", "Exit")))


@dataclass(frozen=True)
class Gathered:
    """One text of the code: its English, the singular where it depends on a number, and the file that says it."""

    english: str
    one: str | None
    file: str


def gathered(root: Path = _ROOT) -> list[Gathered]:
    """Every text of the engine and the pages, sorted by file and order of appearance.

    Raises:
        ValueError: a text is put together from parts, so that no catalogue can hold it; names file and line.
    """
    files = sorted([*(root / "tabnet_engine").rglob("*.py"), *(root / "pages").rglob("*.py"), root / "app.py"])
    found, faults = [], []
    for file in files:
        try:
            found += texts_in(file.read_text(), str(file.relative_to(root)))
        except ValueError as fault:
            faults.append(str(fault))
    if faults:
        raise ValueError("\n".join(faults))
    return found


def texts_in(source: str, file: str) -> list[Gathered]:
    """The texts of one file of code.

    Raises:
        ValueError: a text that is said is put together from parts.
    """
    tree = ast.parse(source)
    found = [Gathered(text, None, file) for text in _stored(tree)] if file.startswith(_STORED) else []
    speaks = _SPEAKING in source  # the command line has a "say" of its own
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            found += [Gathered(text, None, file) for text in _raised(node.exc)]
        elif isinstance(node, ast.Call) and (speaks or _name(node.func) == _COUNTED):
            found += _said(node, file)
    return found


def _stored(tree: ast.Module) -> Iterator[str]:
    """Texts of some words, each with its places: notes, warnings, and the parts they are put together from."""
    skipped: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            skipped.add(node.value)  # a docstring
        elif isinstance(node, ast.JoinedStr):
            skipped.update(part for part in ast.walk(node) if isinstance(part, ast.Constant))
        elif isinstance(node, ast.Raise) or (isinstance(node, ast.Call) and _name(node.func) in _GATHERED):
            skipped.update(ast.walk(node))
    for node in ast.walk(tree):
        if node not in skipped and isinstance(node, ast.JoinedStr | ast.Constant):
            yield from (text for text in _templates(node) if _is_text(text))


def _is_text(text: str) -> bool:
    words = re.sub(r"{[^}]*}", "X", text)
    fewest = 1 if "X" in words else 2  # a word beside a place, or two
    n_words = len(re.findall(r"(?<![\w/.=-])[a-z]{2,}(?![\w/=(])", words))
    return n_words >= fewest and " " in words.strip() and not _NO_TEXT.search(text)


def _said(call: ast.Call, file: str) -> Iterator[Gathered]:
    name = _name(call.func)
    if name in _SAY and call.args:
        for text in _literals(call.args[0], file):
            yield Gathered(text, None, file)
    elif name == _COUNTED and len(call.args) > 1:
        for noun in _literals(call.args[1], file):
            yield Gathered(f"{{count:,}} {noun}s", f"{{count}} {noun}", file)
    elif name == _PLURAL and len(call.args) > 1:
        for one, many in zip(_literals(call.args[0], file), _literals(call.args[1], file), strict=True):
            yield Gathered(many, one, file)


def _literals(node: ast.expr, file: str) -> Iterator[str]:
    """The texts that an argument may be: none where it names a constant, which is marked where it is made."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _literals(node.body, file)
        yield from _literals(node.orelse, file)
    elif isinstance(node, ast.JoinedStr | ast.BinOp):
        written = ast.unparse(node)
        raise ValueError(f"{file}:{node.lineno}: a text must be written whole, with named places; got {written}")


def _raised(call: ast.Call) -> Iterator[str]:
    """The templates of an error of ours; those of Python itself are defects and are shown to nobody."""
    name = _name(call.func)
    if name.endswith("Error") and name not in _BUILTIN_ERRORS and call.args:
        yield from _templates(call.args[0])


def _templates(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield template_of(node)
    elif isinstance(node, ast.IfExp):
        yield from _templates(node.body)
        yield from _templates(node.orelse)


def template_of(node: ast.JoinedStr) -> str:
    """An f-string as a template with named places.

    >>> template_of(ast.parse("f'{len(rows):,} rows of {info.name!r}'", mode="eval").body)
    '{rows:,} rows of {name}'
    """
    names: dict[str, str] = {}
    pieces = []
    for value in node.values:
        if isinstance(value, ast.Constant):
            pieces.append(str(value.value).replace("{", "{{").replace("}", "}}"))
        elif isinstance(value, ast.FormattedValue):
            # The same name for what fills two places alike, and for nothing else.
            place = names.setdefault(ast.dump(value), _place_name(value.value, set(names.values())))
            pieces.append(f"{{{place}{_format(value)}}}")
    text = "".join(pieces)
    return text if names else text.replace("{{", "{").replace("}}", "}")


def _place_name(node: ast.expr, taken: set[str]) -> str:
    named = [part.attr if isinstance(part, ast.Attribute) else part.id for part in _named(node)]
    name = next((part.strip("_") for part in named if part not in dir(builtins) and part != "join"), "value") or "value"
    candidates = (name, *(f"{name}_{number}" for number in range(2, 99)))
    return next(candidate for candidate in candidates if candidate not in taken)


def _named(node: ast.expr) -> list[ast.Name | ast.Attribute]:
    return [part for part in ast.walk(node) if isinstance(part, ast.Name | ast.Attribute)]


def _format(value: ast.FormattedValue) -> str:
    spec = value.format_spec
    if isinstance(spec, ast.JoinedStr) and all(isinstance(part, ast.Constant) for part in spec.values):
        return ":" + "".join(str(part.value) for part in spec.values if isinstance(part, ast.Constant))
    return ""


def _name(function: ast.expr) -> str:
    if isinstance(function, ast.Name):
        return function.id
    return function.attr if isinstance(function, ast.Attribute) else ""
