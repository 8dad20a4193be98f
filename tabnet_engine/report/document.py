"""What a report says, apart from how it looks: sections of blocks, all plain text in one language.

A document is complete in itself: it is stored as JSON, and the same document always renders to the same bytes. Texts
hold no markup; a renderer escapes them. Nothing here knows HTML, PDF or a run.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

from tabnet_engine.figures.plain import PlainChart, chart_mapping, chart_of

__all__ = [
    "Block",
    "Bullets",
    "Callout",
    "ChartBlock",
    "Document",
    "Facts",
    "Identity",
    "Paragraph",
    "ReviewStep",
    "Section",
    "SignatureLines",
    "Table",
]

FORMAT_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class Paragraph:
    """Running text; ``is_note`` is set smaller, ``is_strong`` stands out. Line breaks in the text are kept."""

    kind: ClassVar[str] = "paragraph"
    text: str
    is_note: bool = False
    is_strong: bool = False


@dataclass(frozen=True, kw_only=True)
class Bullets:
    """A list; numbered where the order means something."""

    kind: ClassVar[str] = "bullets"
    items: tuple[str, ...]
    is_numbered: bool = False


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Names and values, one line each."""

    kind: ClassVar[str] = "facts"
    lines: tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table of texts. ``numeric`` are the places of columns to be set flush right; ``caption`` says what it holds."""

    kind: ClassVar[str] = "table"
    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[int, ...] = ()
    note: str = ""

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"a row of {len(row)} cells in a table of {len(self.columns)} columns: {row!r}")


@dataclass(frozen=True, kw_only=True)
class Callout:
    """A sentence in a box: ``block`` stops the report, ``warning`` asks for attention, ``note`` informs."""

    kind: ClassVar[str] = "callout"
    tone: Literal["block", "warning", "note"]
    text: str


@dataclass(frozen=True, kw_only=True)
class ChartBlock:
    """A chart. ``alt`` says in words what it shows; ``note`` stands under it."""

    kind: ClassVar[str] = "chart"
    chart: PlainChart
    alt: str
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class SignatureLines:
    """Empty lines to sign on paper, one for each role."""

    kind: ClassVar[str] = "signatures"
    roles: tuple[str, ...]


Block = Paragraph | Bullets | Facts | Table | Callout | ChartBlock | SignatureLines


@dataclass(frozen=True, kw_only=True)
class Section:
    """A titled part. ``key`` is what a regulation profile calls it; ``part`` the letter of the part it belongs to."""

    key: str
    title: str
    blocks: tuple[Block, ...]
    part: str = ""


@dataclass(frozen=True, kw_only=True)
class Identity:
    """What every report carries, so that it can be traced.

    ``hashes`` map what was used (model, data, configuration, schema, profile, reason codes, template ...) to its
    SHA-256. ``created`` is ISO 8601 in UTC. ``profile`` and ``profile_version`` are those that were used.
    """

    case_id: str
    kind: str
    created: str
    run_id: str
    run_title: str
    engine_version: str
    profile: str
    profile_version: str
    language: str
    seed: int
    row: int | None = None
    hashes: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def to_mapping(self) -> dict[str, Any]:
        """The identity as plain JSON values."""
        return {**dataclasses.asdict(self), "hashes": dict(self.hashes)}

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_mapping` wrote."""
        return cls(**{**values, "hashes": dict(values["hashes"])})


@dataclass(frozen=True, kw_only=True)
class ReviewStep:
    """One step of the review: draft, reviewed or signed; by whom, when (ISO 8601 in UTC), with which comment."""

    state: Literal["draft", "reviewed", "signed"]
    name: str
    time: str
    comment: str = ""


@dataclass(frozen=True, kw_only=True)
class Document:
    """A whole report in one language.

    ``summary`` are the first things to read, before the sections. ``blocked`` holds why the report must not be used,
    one sentence each; ``unmet`` what the profile asks for and is missing. ``is_letter`` is a letter: no contents, no
    part letters, the identity in small print. ``review`` is filled in when a stored report is rendered.
    """

    title: str
    subtitle: str
    language: str
    identity: Identity
    summary: tuple[Block, ...]
    sections: tuple[Section, ...]
    blocked: tuple[str, ...] = ()
    unmet: tuple[str, ...] = ()
    is_letter: bool = False
    review: tuple[ReviewStep, ...] = ()

    @property
    def is_blocked(self) -> bool:
        """Whether the report must not be used as it is."""
        return bool(self.blocked)

    def section(self, key: str) -> Section:
        """The section that a profile calls ``key``.

        Raises:
            KeyError: there is none.
        """
        found = next((section for section in self.sections if section.key == key), None)
        if found is None:
            raise KeyError(f"the report has no section {key!r}")
        return found

    def to_mapping(self) -> dict[str, Any]:
        """The document as plain JSON values."""
        return {
            "format_version": FORMAT_VERSION,
            "title": self.title,
            "subtitle": self.subtitle,
            "language": self.language,
            "identity": self.identity.to_mapping(),
            "summary": _blocks_mapping(self.summary),
            "sections": [
                {"key": item.key, "title": item.title, "part": item.part, "blocks": _blocks_mapping(item.blocks)}
                for item in self.sections
            ],
            "blocked": list(self.blocked),
            "unmet": list(self.unmet),
            "is_letter": self.is_letter,
            "review": [dataclasses.asdict(step) for step in self.review],
        }

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_mapping` wrote.

        Raises:
            ValueError: another format.
        """
        if values["format_version"] != FORMAT_VERSION:
            raise ValueError(f"a report of format {values['format_version']} cannot be read")
        sections = [
            Section(key=item["key"], title=item["title"], part=item["part"], blocks=_blocks_of(item["blocks"]))
            for item in values["sections"]
        ]
        return cls(
            title=values["title"],
            subtitle=values["subtitle"],
            language=values["language"],
            identity=Identity.from_mapping(values["identity"]),
            summary=_blocks_of(values["summary"]),
            sections=tuple(sections),
            blocked=tuple(values["blocked"]),
            unmet=tuple(values["unmet"]),
            is_letter=bool(values["is_letter"]),
            review=tuple(ReviewStep(**step) for step in values["review"]),
        )


def _blocks_mapping(blocks: Sequence[Block]) -> list[dict[str, Any]]:
    return [_block_mapping(block) for block in blocks]


def _block_mapping(block: Block) -> dict[str, Any]:
    if isinstance(block, ChartBlock):
        return {"kind": block.kind, "chart": chart_mapping(block.chart), "alt": block.alt, "note": block.note}
    return {"kind": block.kind, **dataclasses.asdict(block)}


def _blocks_of(values: Sequence[Mapping[str, Any]]) -> tuple[Block, ...]:
    return tuple(map(_block_of, values))


_PLAIN: Mapping[str, Any] = {cls.kind: cls for cls in (Paragraph, Bullets, Facts, Table, Callout, SignatureLines)}


def _block_of(values: Mapping[str, Any]) -> Block:
    own = {key: _tuples(value) for key, value in values.items() if key != "kind"}
    if values["kind"] == ChartBlock.kind:
        return ChartBlock(chart=chart_of(values["chart"]), alt=values["alt"], note=values["note"])
    block: Block = _PLAIN[values["kind"]](**own)
    return block


def _tuples(value: Any) -> Any:
    """Lists of JSON as the tuples that a frozen record holds."""
    return tuple(map(_tuples, value)) if isinstance(value, list | tuple) else value
