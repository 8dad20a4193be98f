"""The structure of a tagged PDF: which text is a heading, a paragraph, a cell or a figure, for readers who hear it.

After PDF 32000-1:2008, sections 14.7 and 14.8: marked content on the pages, a tree of elements that refer to it, and a
number tree that leads from the pages back to the elements.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["Element", "Structure"]


@dataclass(eq=False)
class Element:
    """A node of the tree.

    Attributes:
        kind: a standard type: H1, H2, P, L, LI, Table, TR, TH, TD, Figure ...
        alt: what a figure shows, in words.
        scope: of a heading cell: Row or Column.
        kids: elements below, and places (page, number) of marked content.
    """

    kind: str
    alt: str = ""
    scope: str = ""
    kids: list[Element | tuple[int, int]] = field(default_factory=list)

    def child(self, kind: str, *, alt: str = "", scope: str = "") -> Element:
        """A new last element below this one."""
        element = Element(kind, alt, scope)
        self.kids.append(element)
        return element


class Structure:
    """The tree of one document, filled in reading order."""

    def __init__(self) -> None:
        self.root = Element("Document")
        self._marked: list[list[Element]] = []

    def begin_page(self) -> None:
        """What is marked from now on stands on the next page."""
        self._marked.append([])

    def mark(self, element: Element) -> int:
        """Note that the next marked content of this page belongs to an element, and return its number."""
        page = self._marked[-1]
        page.append(element)
        element.kids.append((len(self._marked) - 1, len(page) - 1))
        return len(page) - 1

    def write(self, canvas: Any) -> None:
        """Put the tree into the file behind a ReportLab canvas whose pages are all shown."""
        from reportlab.pdfbase.pdfdoc import PDFArray, PDFDictionary, PDFName, PDFObjectReference

        file, pages = canvas._doc, canvas._doc.Pages.pages  # noqa: SLF001 (there is no other way in)
        names: dict[int, str] = {}
        self._name(self.root, names)
        tree = PDFArray([])
        for number, (page, marked) in enumerate(zip(pages, self._marked, strict=True)):
            # A page knows its own list of keys only; it takes these two besides.
            page.__NoDefault__ = [*page.__NoDefault__, "StructParents", "Tabs"]
            page.StructParents, page.Tabs = number, PDFName("S")
            parents = PDFArray([PDFObjectReference(names[id(element)]) for element in marked])
            tree.sequence += [number, file.Reference(parents, f"parents{number}")]
        page_names = [page.__InternalName__ for page in pages]
        self._write(self.root, "structure", file, names, page_names)
        root = PDFDictionary(
            {
                "Type": PDFName("StructTreeRoot"),
                "K": PDFObjectReference(names[id(self.root)]),
                "ParentTree": file.Reference(PDFDictionary({"Nums": tree}), "parents"),
                "ParentTreeNextKey": len(pages),
            }
        )
        file.Catalog.StructTreeRoot = file.Reference(root, "structure")
        file.Catalog.MarkInfo = PDFDictionary({"Marked": "true"})

    def _name(self, element: Element, names: dict[int, str]) -> None:
        names[id(element)] = f"element{len(names)}"
        for kid in element.kids:
            if isinstance(kid, Element):
                self._name(kid, names)

    def _write(self, element: Element, parent: str, file: Any, names: dict[int, str], pages: list[str]) -> None:
        from reportlab.pdfbase.pdfdoc import PDFDictionary, PDFName, PDFObjectReference, PDFString

        own = names[id(element)]
        values: dict[str, Any] = {"S": PDFName(element.kind), "P": PDFObjectReference(parent)}
        first = next((kid[0] for kid in element.kids if not isinstance(kid, Element)), None)
        if first is not None:
            values["Pg"] = PDFObjectReference(pages[first])
        if element.kids:
            values["K"] = _kids(element, first, names, pages)
        if element.alt:
            values["Alt"] = PDFString(element.alt)
        if element.scope:
            values["A"] = PDFDictionary({"O": PDFName("Table"), "Scope": PDFName(element.scope)})
        file.Reference(PDFDictionary(values), own)
        for kid in element.kids:
            if isinstance(kid, Element):
                self._write(kid, own, file, names, pages)


def _kids(element: Element, first: int | None, names: dict[int, str], pages: list[str]) -> Any:
    from reportlab.pdfbase.pdfdoc import PDFArray, PDFDictionary, PDFName, PDFObjectReference

    kids: list[Any] = []
    for kid in element.kids:
        if isinstance(kid, Element):
            kids.append(PDFObjectReference(names[id(kid)]))
        elif kid[0] == first:
            kids.append(kid[1])
        else:
            page = PDFObjectReference(pages[kid[0]])
            kids.append(PDFDictionary({"Type": PDFName("MCR"), "Pg": page, "MCID": kid[1]}))
    return kids[0] if len(kids) == 1 else PDFArray(kids)
