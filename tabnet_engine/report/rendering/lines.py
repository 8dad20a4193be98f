"""Breaking a text into lines: at blanks between words, between Chinese characters, and within words that are too long.

No line begins with a closing sign or ends with an opening one. This follows the simple classes of Unicode Standard
Annex 14; a word longer than a line breaks after a sign such as ``_`` or ``/`` where it has one, else anywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tabnet_engine.report.rendering.fonts import Glyph, glyphs

__all__ = ["broken", "line_width"]

_CLOSING = frozenset("，。；：！？、）》〉」』】〕”’…％‰,.;:!?)]}%›»·")
_OPENING = frozenset("（《〈「『【〔“‘([{‹«")
_SOFT = frozenset("_-/\\.,;:|&=+")
_MOST_OF_LINE = 0.5  # a long word breaks after a sign only where at least so much of the line is filled

Line = Sequence[Glyph]


def line_width(line: Line, size: float) -> float:
    """How wide a line stands at a size."""
    return size * sum(glyph.width for glyph in line)


def broken(text: str, room: float, size: float, *, is_bold: bool = False) -> list[Line]:
    """The lines of a text, none wider than the room unless a single character is.

    Args:
        text: line breaks in it are kept.
        room: the width of a line.
        size: of the font.
        is_bold: whether it is set in bold.

    Returns:
        At least one line; an empty one is an empty line.
    """
    lines: list[Line] = []
    most = room / size + 1e-9
    for paragraph in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        lines += _filled(glyphs(paragraph, is_bold=is_bold), most)
    return lines


def _filled(whole: tuple[Glyph, ...], most: float) -> list[Line]:
    if sum(glyph.width for glyph in whole) <= most:
        return [whole]
    lines: list[Line] = []
    line: list[Glyph] = []
    used = 0.0
    for whole_unit in _units(whole):
        unit, solid = whole_unit, _solid(whole_unit)
        if line and used + solid > most:
            lines.append(_trimmed(line))
            line, used = [], 0.0
        if solid > most:
            *parts, unit = _cut(unit, most)
            lines += map(tuple, parts)
        line += unit
        used += sum(glyph.width for glyph in unit)
    return [*lines, _trimmed(line)]


def _solid(unit: Line) -> float:
    """The width of a unit without the blanks at its end."""
    end = len(unit)
    while end and unit[end - 1].char == " ":
        end -= 1
    return sum(glyph.width for glyph in unit[:end])


def _trimmed(line: list[Glyph]) -> Line:
    end = len(line)
    while end and line[end - 1].char == " ":
        end -= 1
    return tuple(line[:end])


def _units(whole: Sequence[Glyph]) -> Iterator[list[Glyph]]:
    """What stays together: a word with the blanks after it, a Chinese character with the signs that cling to it."""
    unit: list[Glyph] = []
    for glyph in whole:
        if unit and _may_break(unit[-1].char, glyph.char):
            yield unit
            unit = []
        unit.append(glyph)
    if unit:
        yield unit


def _may_break(before: str, after: str) -> bool:
    if after == " ":
        return False
    if before == " ":
        return True
    if after in _CLOSING or before in _OPENING:
        return False
    return _is_wide(before) or _is_wide(after)


def _is_wide(char: str) -> bool:
    return "\u2e80" <= char < "\ua4d0" or "\uac00" <= char < "\ud7b0" or "\uf900" <= char < "\ufb00" or char >= "\uff00"


def _cut(unit: list[Glyph], most: float) -> list[list[Glyph]]:
    """A unit that is wider than a line, in pieces that are not."""
    pieces: list[list[Glyph]] = [[]]
    used = 0.0
    for glyph in unit:
        if pieces[-1] and used + glyph.width > most and glyph.char != " ":
            tail = _after_sign(pieces[-1], most, glyph.width)
            pieces.append(tail)
            used = sum(one.width for one in tail)
        pieces[-1].append(glyph)
        used += glyph.width
    return pieces


def _after_sign(piece: list[Glyph], most: float, coming: float) -> list[Glyph]:
    """Take from a full piece what stands after its last sign, if enough stays and the coming character fits to it."""
    for place in range(len(piece) - 1, 0, -1):
        if sum(glyph.width for glyph in piece[:place]) < most * _MOST_OF_LINE:
            break
        if piece[place - 1].char in _SOFT:
            tail = piece[place:]
            if sum(glyph.width for glyph in tail) + coming > most:
                break
            del piece[place:]
            return tail
    return []
