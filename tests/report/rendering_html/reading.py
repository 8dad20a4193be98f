"""Reads a page as a browser's parser does: its elements, their attributes, and their texts."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

PACKED = re.compile(r'(?<= id="plotly">)[^<]*')
VOID = {"br", "meta", "link"}


@dataclass
class Element:
    name: str
    attributes: dict[str, str | None]
    text: str = ""
    path: tuple[str, ...] = ()


@dataclass
class Page(HTMLParser):
    """All elements in order, and all texts that are read."""

    elements: list[Element] = field(default_factory=list)
    open: list[Element] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    packed: str = ""

    def __post_init__(self) -> None:
        super().__init__()

    @classmethod
    def of(cls, content: bytes | str) -> Page:
        page = cls()
        text = content if isinstance(content, str) else content.decode()
        # Python's parser takes seconds for what is packed.
        page.packed = "".join(PACKED.findall(text))
        page.feed(PACKED.sub("", text))
        page.close()
        page.faults += [f"never closed: {element.name}" for element in page.open]
        return page

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        if len(set(names)) < len(names):
            self.faults.append(f"an attribute twice: {tag} {names}")
        element = Element(tag, dict(attrs), path=tuple(one.name for one in self.open))
        self.elements.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, dict(attrs), path=tuple(one.name for one in self.open)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open[-1].name != tag:
            self.faults.append(f"{tag} closes {[one.name for one in self.open]}")
            return
        closed = self.open.pop()
        if self.open:
            self.open[-1].text += closed.text

    def handle_data(self, data: str) -> None:
        if self.open:
            self.open[-1].text += data

    def named(self, name: str) -> list[Element]:
        return [element for element in self.elements if element.name == name]

    def texts(self, name: str) -> list[str]:
        return [element.text for element in self.named(name)]
