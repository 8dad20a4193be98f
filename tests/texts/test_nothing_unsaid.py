"""No text of a page goes past the catalogue: what is shown is said, never written down where it is drawn."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = [*sorted((ROOT / "pages").rglob("*.py")), *sorted((ROOT / "tabnet_engine" / "figures").glob("*.py"))]
# Calls whose first argument, or the one of that number, is read by a person.
SHOWN = {
    **dict.fromkeys(("subheader", "caption", "markdown", "write", "badge", "spinner", "status", "metric"), 0),
    **dict.fromkeys(("button", "download_button", "form_submit_button", "expander", "popover", "toggle"), 0),
    **dict.fromkeys(("selectbox", "multiselect", "radio", "pills", "segmented_control", "checkbox", "slider"), 0),
    **dict.fromkeys(("text_input", "text_area", "number_input", "date_input", "select_slider", "file_uploader"), 0),
    **dict.fromkeys(("info", "error", "success", "warning", "TextColumn", "NumberColumn", "SelectboxColumn"), 0),
    **dict.fromkeys(("notify", "link"), 1),
}
NAMED = {"help", "help_text", "alt", "placeholder", "show_spinner"}
OF_FIGURES = {"title", "subtitle", "x", "y"}
ICON = re.compile(r":material/\w+:")
WORD = re.compile(r"[a-z]{2,}")


def unsaid(source: str) -> Iterator[tuple[int, str]]:
    """Line and text of each argument that a person reads and that is written down as it is."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        kept = {"turn_to": 2}.get(name, 1)  # the label stands behind the name of the choice, and behind a value of it
        place = kept if ast.unparse(node.func).startswith("kept.") else SHOWN.get(name)
        given = [] if place is None or len(node.args) <= place else [node.args[place]]
        named = NAMED | OF_FIGURES if name == "finish" else NAMED
        for argument in (*given, *(keyword.value for keyword in node.keywords if keyword.arg in named)):
            yield from ((part.lineno, text) for part, text in _written(argument) if WORD.search(ICON.sub("", text)))


def _written(node: ast.expr) -> Iterator[tuple[ast.expr, str]]:
    if isinstance(node, ast.IfExp):
        yield from _written(node.body)
        yield from _written(node.orelse)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node, node.value
    elif isinstance(node, ast.JoinedStr):
        yield node, " ".join(str(part.value) for part in node.values if isinstance(part, ast.Constant))


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_text_is_said(file: Path) -> None:
    assert list(unsaid(file.read_text())) == []


@pytest.mark.parametrize(
    "written",
    [
        'st.caption("Two words")',
        'st.button(f"Delete {name}")',
        'widgets.chart(f, alt="a" if x else "what")',
        'st.x(help="no")',
        'finish(figure, x="rows")',
        'st.cache_resource(show_spinner="Two words")',
        'kept.toggle(name, "Show all")',
    ],
)
def test_a_text_that_is_written_down_is_found(written: str) -> None:
    assert len(list(unsaid(written))) == 1
    assert list(unsaid(re.sub(r'(f?"[^"]*")', r"say(\1)", written))) == []


def _silent_choices(source: str) -> list[int]:
    """Lines of choices for which Streamlit would ask "Choose options" in its own English."""
    calls = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    return [
        call.lineno
        for call in calls
        if getattr(call.func, "attr", "") == "multiselect" and "placeholder" not in {word.arg for word in call.keywords}
    ]


def test_no_choice_asks_in_streamlits_own_words() -> None:
    assert {str(file): lines for file in FILES if (lines := _silent_choices(file.read_text()))} == {}
    assert _silent_choices('st.multiselect("a", [])') == [1]
