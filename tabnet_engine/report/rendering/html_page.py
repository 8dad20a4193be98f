"""The parts of a page around its sections: title, state, contents, review, and what the report was made of."""

from __future__ import annotations

from tabnet_engine.report.document import Document, Section
from tabnet_engine.report.identity import content_hash
from tabnet_engine.report.integrity_section import HASHED, identity_facts
from tabnet_engine.report.rendering.html_blocks import DrawsCharts, blocks_html, callout_html, facts_html, table_html
from tabnet_engine.report.rendering.html_markup import Markup, css_string, tag
from tabnet_engine.report.rendering.words import front_lines, profile_words, review_table, status_words
from tabnet_engine.texts.speaking import say

__all__ = ["page_body", "page_rule"]

_SHORT = 3  # sections that need no contents


def page_body(document: Document, draw: DrawsCharts, *, most_rows: int | None = None) -> Markup:
    """Everything that is read, in the order in which it is read."""
    sections = [
        _section(item, f"section-{place}", draw, most_rows=most_rows, is_letter=document.is_letter)
        for place, item in enumerate(document.sections, start=1)
    ]
    summary = blocks_html(document.summary, draw, most_rows=most_rows)
    heading = [] if document.is_letter else [tag("h2", say("Summary"), id="summary-title")]
    parts = [
        tag("a", say("Skip to the report"), class_="skip", href="#report"),
        _header(document),
        _contents(document),
        tag(
            "main",
            *_warnings(document),
            tag("section", *heading, summary, class_="summary") if document.summary else Markup(""),
            *sections,
            _review(document),
            id="report",
            tabindex=-1,
        ),
        _footer(document),
    ]
    names = ["letter" if document.is_letter else "report", *(["blocked"] if document.is_blocked else [])]
    return tag("body", *parts, class_=" ".join(names))


def _header(document: Document) -> Markup:
    status = tag("p", status_words(document), class_=f"status {_state(document)}")
    content = [status, *([tag("h1", document.title)] if document.title else [])]
    if document.subtitle:
        content.append(tag("p", document.subtitle, class_="subtitle"))
    if not document.is_letter:
        content.append(facts_html(front_lines(document)[1:], "identity"))  # its state stands above already
    return tag("header", *content)


def _state(document: Document) -> str:
    if document.is_blocked:
        return "blocked"
    return document.review[-1].state if document.review else "draft"


def _contents(document: Document) -> Markup:
    titled = [(place, item) for place, item in enumerate(document.sections, start=1) if item.title]
    if document.is_letter or len(titled) <= _SHORT:
        return Markup("")
    links = [tag("li", tag("a", item.title, href=f"#section-{place}")) for place, item in titled]
    if document.review:
        links.append(tag("li", tag("a", say("Review"), href="#review")))
    title = tag("h2", say("Contents"), id="contents-title")
    return tag("nav", title, tag("ol", *links), class_="contents", aria_labelledby="contents-title")


def _warnings(document: Document) -> list[Markup]:
    """Why the report must not be used, then what it lacks: before anything else is read."""
    boxes = []
    if document.blocked:
        boxes.append(callout_html("block", *(tag("p", sentence) for sentence in document.blocked)))
    if document.unmet:
        lead = say("What the profile asks for and this report lacks:")
        if document.is_letter:
            lead = say("Not part of the letter: to be settled before it is sent")
        boxes.append(
            callout_html("warning", tag("p", lead), tag("ul", *(tag("li", sentence) for sentence in document.unmet)))
        )
    return boxes


def _section(section: Section, name: str, draw: DrawsCharts, *, most_rows: int | None, is_letter: bool) -> Markup:
    content = []
    if section.title:
        badge = tag("span", say("Part {letter}", letter=section.part), class_="part")
        with_badge = [badge] if section.part and not is_letter else []
        content.append(tag("h2", tag("span", section.title), *with_badge, id=name))
    content.append(blocks_html(section.blocks, draw, most_rows=most_rows))
    labelled = name if section.title else None
    return tag("section", *content, aria_labelledby=labelled, data_key=section.key)


def _review(document: Document) -> Markup:
    if not document.review:
        return Markup("")
    table = review_table(document)
    return tag("section", tag("h2", say("Review"), id="review"), table_html(table), aria_labelledby="review")


def _footer(document: Document) -> Markup:
    """The identity, and the SHA-256 of everything that was used where no section lists it."""
    identity = document.identity
    lines = [*identity_facts(identity), (say("Regulation profile"), profile_words(document))]
    content = [facts_html(lines)]
    if identity.hashes and not any(section.key == "integrity" for section in document.sections):
        hashes = [(say(HASHED[name]) if name in HASHED else name, value) for name, value in identity.hashes.items()]
        content.append(
            facts_html([(say("SHA-256: {what}", what=what), value) for what, value in hashes], "facts hashes")
        )
    content.append(facts_html([(say("SHA-256 of this content"), content_hash(document))], "facts hashes"))
    title = say("What this report was made of")
    return tag("footer", *([] if document.is_letter else [tag("h2", title)]), *content, aria_label=title)


def page_rule(document: Document) -> str:
    """What stands on the margins of every printed page: the case, the state, the number of the page."""
    case = css_string(f"{document.identity.case_id} · {status_words(document)}")
    pages = say("Page {page} of {pages}", page="\x01", pages="\x02")
    numbers = _counted(pages)
    mark = css_string(say("BLOCKED")) if document.is_blocked else "none"
    return (
        f"@page{{@bottom-left{{content:{case}}}@bottom-right{{content:{numbers}}}"
        f"@top-right{{content:{mark};color:#b3261e;font-weight:bold}}}}"
    )


def _counted(text: str) -> str:
    r"""A text with a counter of pages for \x01 and of all pages for \x02, as the content of a style sheet.

    >>> _counted("Page \x01 of \x02")
    '"Page " counter(page) " of " counter(pages)'
    """
    counters = {"\x01": "counter(page)", "\x02": "counter(pages)"}
    pieces: list[str] = []
    rest = ""
    for char in text:
        if char in counters:
            pieces += [css_string(rest), counters[char]] if rest else [counters[char]]
            rest = ""
        else:
            rest += char
    return " ".join([*pieces, css_string(rest)] if rest else pieces)
