"""HTML that cannot be broken out of: texts are escaped by what puts them into a tag, not by whoever remembers to."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

__all__ = ["Markup", "css_string", "joined", "literal", "tag", "visible"]

_VOID = frozenset({"br", "meta", "link"})
# Control characters, which no reader sees; those that turn the direction of what follows, so that a value could make
# its neighbours read otherwise; and halves of characters, which no encoding carries.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069\ud800-\udfff]"
)
_PLAIN = re.compile(r"[A-Za-z0-9 ]")


class Markup(str):
    """HTML that is ready: it is put in as it is, while every other text is escaped."""

    __slots__ = ()


def visible(text: str) -> str:
    r"""The text with what hides from a reader written out, and its line ends made one kind.

    >>> visible("a\u202eb\r\nc\x00")
    'a‹U+202E›b\nc‹U+0000›'
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return _HIDDEN.sub(lambda found: f"‹U+{ord(found[0]):04X}›", lines)


def literal(text: str) -> Markup:
    """A text so that a browser shows it literally.

    >>> literal('<b> & "x"')
    '&lt;b&gt; &amp; &quot;x&quot;'
    """
    return Markup(html.escape(visible(text)))


def joined(parts: Iterable[str]) -> Markup:
    """Parts one after the other; those that are no markup are escaped."""
    return Markup("".join(part if isinstance(part, Markup) else literal(part) for part in parts))


def tag(name: str, /, *content: str, **attributes: str | int | bool | None) -> Markup:
    """An element with its content; texts in it and in its attributes are escaped.

    Args:
        name: of the element.
        *content: markup, or texts.
        **attributes: None and False leave one out, True writes its name alone. ``class_`` is ``class``, and any
            other ``_`` is written as ``-``.

    >>> tag("p", "1 < 2", tag("br"), class_="note", hidden=True, id=None)
    '<p class="note" hidden>1 &lt; 2<br></p>'
    """
    written = [
        f" {_attribute(key, value)}" for key, value in attributes.items() if value is not None and value is not False
    ]
    opening = f"<{name}{''.join(written)}>"
    if name in _VOID:
        return Markup(opening)
    return Markup(f"{opening}{joined(content)}</{name}>")


def _attribute(key: str, value: str | int) -> str:
    name = key.rstrip("_").replace("_", "-")
    return name if value is True else f'{name}="{literal(str(value))}"'


def css_string(text: str) -> str:
    r"""A text as a string of a style sheet: what is no plain letter is written as its number.

    >>> css_string('D-1 "x" </style>')
    '"D\\2d 1 \\22 x\\22  \\3c \\2f style\\3e "'
    """
    escaped = [char if _PLAIN.match(char) else f"\\{ord(char):x} " for char in visible(text).replace("\n", " ")]
    return '"' + "".join(escaped) + '"'
