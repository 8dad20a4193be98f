"""The house keeps its shape: the import rule bites, files stay small, departures are listed."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tabnet_engine import __version__

ROOT = Path(__file__).resolve().parents[1]
ENGINE = sorted((ROOT / "tabnet_engine").rglob("*.py"))
COMMANDS = [path for path in ENGINE if path.parent.name == "commands"]
PAGES = sorted((ROOT / "pages").glob("[!_]*.py"))
SHARED_BY_PAGES = sorted((ROOT / "pages" / "_ui").glob("*.py"))
DIFF = re.compile(r"DIFF\((?P<where>[^)]+)\):\s*(?P<what>.+)")


def _imports_are_clean(root: Path) -> subprocess.CompletedProcess[str]:
    script = "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())"
    environment = {**os.environ, "PYTHONPATH": str(root)}
    command = [sys.executable, "-c", script, "--no-cache"]
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for name in ("tabnet_engine", "pages"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("file", "planted"),
    [
        ("tabnet_engine/model/sparse.py", "import tabnet_engine.explain.masks\n"),
        ("tabnet_engine/explain/masks.py", "import plotly\n"),
        ("tabnet_engine/runs/artefact.py", "import streamlit\n"),
        ("tabnet_engine/jobs/pipeline.py", "import tabnet_engine.commands.files\n"),
        ("tabnet_engine/runs/artefact.py", "import tabnet_engine.estimators\n"),
        ("tabnet_engine/training/fit.py", "import tabnet_engine.interop\n"),
        ("pages/masks.py", "import pages.decision\n"),
    ],
)
def test_a_planted_forbidden_import_breaks_the_contract(copy: Path, file: str, planted: str):
    target = copy / file
    target.write_text(target.read_text(encoding="utf-8") + planted, encoding="utf-8")
    result = _imports_are_clean(copy)
    assert result.returncode == 1, result.stdout + result.stderr
    # The clean tree passes in `make lint`; here exactly the planted import is named.
    assert " 1 broken" in result.stdout
    module = file.removesuffix(".py").replace("/", ".")
    assert re.search(rf"{module} -> {planted.split()[1]}", result.stdout), result.stdout


def test_a_room_that_nobody_placed_breaks_the_contract(copy: Path):
    (copy / "tabnet_engine" / "annex.py").write_text('"""Placed nowhere."""\n', encoding="utf-8")
    result = _imports_are_clean(copy)
    assert result.returncode == 1, result.stdout + result.stderr
    assert "annex" in result.stdout


def _calls(path: Path) -> list[ast.Call]:
    return [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]


def _without_data(paths: list[Path]) -> list[str]:
    """Charts that go past the widgets, or come without name, words or numbers to take away."""
    found = []
    for path in paths:
        for call in _calls(path):
            name = ast.unparse(call.func).rpartition(".")[2]
            given = {keyword.arg for keyword in call.keywords if ast.unparse(keyword.value) != "None"}
            bare = name in {"chart", "selectable"} and not {"key", "alt", "data"} <= given
            if bare or (name == "plotly_chart" and path.name != "widgets.py"):
                found.append(f"{path.name}:{call.lineno}")
    return found


def test_every_chart_has_words_and_its_numbers_to_take_away(tmp_path: Path):
    charts = [call for path in SHARED_BY_PAGES for call in _calls(path) if "widgets.chart" in ast.unparse(call.func)]
    assert len(charts) > 20
    assert _without_data([*PAGES, *SHARED_BY_PAGES]) == []
    planted = tmp_path / "planted.py"
    planted.write_text('widgets.chart(f, key="k", alt="a")\nst.plotly_chart(f)\nwidgets.selectable(f, data=None)\n')
    assert _without_data([planted]) == ["planted.py:1", "planted.py:2", "planted.py:3"]


def test_the_pages_are_ready_without_the_heavy_libraries():
    modules = [f"pages._ui.{path.stem}" for path in SHARED_BY_PAGES if path.stem != "__init__"]
    code = f"import importlib, sys; [importlib.import_module(name) for name in {modules}]; print(*sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(result.stdout.split())
    assert "pandas" in loaded
    assert loaded & {"torch", "shap", "sklearn", "scipy", "numba", "mlflow", "ray", "captum"} == set()


def test_files_stay_readable():
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in (*ENGINE, *SHARED_BY_PAGES)}
    assert [str(path) for path, lines in lengths.items() if lines > 400] == []
    pages = {path.name: len(path.read_text(encoding="utf-8").splitlines()) for path in PAGES}
    assert [name for name, lines in pages.items() if lines > 85] == []


def test_every_departure_from_a_paper_is_listed_in_one_place():
    listed = (ROOT / "docs" / "deviations.md").read_text(encoding="utf-8")
    marks = [
        (path.relative_to(ROOT).as_posix(), match["where"])
        for path in ENGINE
        for match in DIFF.finditer(path.read_text(encoding="utf-8"))
    ]
    assert marks, "the engine marks its departures with # DIFF(paper ...)"
    missing = [mark for mark in marks if f"`{mark[0]}`" not in listed or mark[1] not in listed]
    assert missing == []
    files = set(re.findall(r"`(tabnet_engine/[\w/]+\.py)`", listed))
    assert files == {file for file, _ in marks}, "docs/deviations.md names a file that departs from nothing"


def test_nothing_that_runs_code_from_a_file_is_used():
    risky = re.compile(
        r"\b(?:import pickle|from pickle|(?<!safetensors\.)torch\.load|joblib|unsafe_allow_html\s*=\s*True)"
    )
    sources = [*ENGINE, *PAGES, *SHARED_BY_PAGES, ROOT / "app.py"]
    assert [str(path) for path in sources if risky.search(path.read_text(encoding="utf-8"))] == []


def test_the_readme_shows_commands_that_exist():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in set(re.findall(r"`make (\w+)`", readme)) | {"run", "test"}:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    shown = set(re.findall(r"python -m tabnet_engine (\w[\w-]*)", readme))
    result = subprocess.run(
        [sys.executable, "-m", "tabnet_engine", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert shown, "the README shows the command line"
    assert [command for command in shown if command not in result.stdout] == []
    for option in set(re.findall(r"(?<=\s)--[a-z-]+", readme)):
        sources = "".join(path.read_text(encoding="utf-8") for path in COMMANDS) + makefile
        assert option in sources or option.startswith("--server"), option


def test_one_version_everywhere():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    newest = re.search(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert newest is not None
    assert project == newest[1] == __version__
