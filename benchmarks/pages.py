"""How long each page takes from the click to drawn, in a headless Chromium, at several lengths of the table.

    python benchmarks/pages.py --rows 1000 100000 1000000 --workspace pages-bench

Each length is a table of synthetic credit applications with one trained and explained run, masks of all its rows
stored; ``--workspace`` keeps them for the next measurement. A page counts as drawn from when its script is at rest,
nothing on it is stale and each of its charts (or its table) is there. One tab goes through all pages by the menu and
through their heavier views: "first" is the first round after the server started, "again" the median of the later
rounds. Before the first round the visitor reads the page of measures for ``--reading`` seconds, in which the server
makes its imports; ``--reading 0`` leaves it none. Then one value is changed on the page of one decision, again and
again: the time until the answer has moved, and what of that the engine takes. Last, the pages are changed
``--changes`` times: the memory of the server and of the browser's tab, before and after.
"""

from __future__ import annotations

import argparse
import re
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import psutil
from playwright.sync_api import Browser, expect

from tabnet_engine.data.kinds import propose_schema, set_target
from tabnet_engine.data.schema import Kind
from tabnet_engine.data.synthetic import credit_applications
from tabnet_engine.data.tables import ReadOptions, read_table
from tabnet_engine.explain.subject import Subject
from tabnet_engine.explain.what_if import WhatIf
from tabnet_engine.jobs.pipeline import Source, train_run
from tabnet_engine.runs.artefact import DatasetRef
from tabnet_engine.runs.workspace import Workspace
from tests.browser.driver import PATIENCE, REST_MS, Server, Visitor, running_browser, running_server, visit

CHART = ".js-plotly-plot .main-svg"
TABLE = '[data-testid="stDataFrame"]'
ANYTHING = '[data-testid="stMain"] [data-testid="stElementContainer"]'
# By page: what it is not drawn without, and views whose tabs are pressed after it.
PAGES: dict[str, tuple[str, dict[str, str]]] = {
    "masks": (CHART, {"Row by row": CHART, "From step to step": CHART, "Ways of reading": CHART}),
    "shap_comparison": (CHART, {"Effects": CHART, "Rows": CHART, "How far to trust it": ANYTHING}),
    "decision": (
        CHART,
        {"Every method": ANYTHING, "What if": CHART, "Counterfactuals": ANYTHING, "Similar rows": ANYTHING},
    ),
    "importance": (CHART, {"By class and slice": CHART, "Effect of a column": CHART}),
    "groups": (ANYTHING, {}),
    "runs": (CHART, {}),
    "train": (ANYTHING, {}),
    "dataset": (TABLE, {}),
}
# When the page came to rest, in the tab's own milliseconds, once it has rested for a while.
DRAWN = """([ready, rest]) => {
  const app = document.querySelector('[data-testid="stApp"]');
  const charts = [...document.querySelectorAll('[data-testid="stPlotlyChart"]')];
  const drawn = app?.dataset.testScriptState === "notRunning"
    && !app.querySelector('[data-stale="true"]')
    && document.querySelector(ready)?.checkVisibility()
    && charts.every(chart => chart.querySelector(".main-svg"));
  if (!drawn) { window.drawnSince = undefined; return false; }
  window.drawnSince ??= performance.now();
  return performance.now() - window.drawnSince < rest ? false : window.drawnSince;
}"""
# The numbers of the answer, once they differ from those before.
MOVED = """before => {
  const numbers = [...document.querySelectorAll('[data-testid="stMetric"]')].map(part => part.innerText).join();
  return numbers !== before ? performance.now() : false;
}"""
NUMBERS = """() => [...document.querySelectorAll('[data-testid="stMetric"]')].map(part => part.innerText).join()"""
MEBIBYTE = 2**20


def main() -> None:
    """Prepare, measure, print a table for each length."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory() as folder, running_browser() as browser:
        for n_rows in arguments.rows:
            root = (arguments.workspace or Path(folder)) / f"rows-{n_rows}"
            prepare(root, n_rows, arguments.epochs)
            print(f"\n{n_rows:,} rows\n")
            with running_server(root) as server:
                print(f"first page after the server is healthy: {first_page(server, browser):.2f} s\n")
            with running_server(root) as server, visit(browser, server.url) as visitor:
                visitor.open("measures")
                time.sleep(arguments.reading)
                _print_times(visitor, arguments.repeats)
                _print_answers(visitor, root, arguments.answers)
                _print_memory(visitor, server, arguments.changes)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000, 100_000, 1_000_000])
    parser.add_argument("--workspace", type=Path, help="a folder that keeps the trained runs")
    parser.add_argument("--epochs", default="2", help="the figures do not depend on how well the model was trained")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--reading", type=float, default=8.0, help="seconds before the first click")
    parser.add_argument("--answers", type=int, default=20, help="how often a value is changed")
    parser.add_argument("--changes", type=int, default=100, help="page changes between the two looks at the memory")
    return parser.parse_args()


def prepare(root: Path, n_rows: int, epochs: str) -> None:
    """A workspace with one table and one trained, explained run of it, made when absent."""
    workspace = Workspace.open(root)
    if any(summary.manifest is not None for summary in workspace.list_runs()):
        return
    path = root.parent / f"credit-{n_rows}.csv"
    credit_applications(n_rows=n_rows)[0].to_csv(path, index=False)
    table = read_table(path, ReadOptions())
    schema = set_target(propose_schema(table.frame), table.frame, "decision")
    info = workspace.add_dataset(table, path, schema=schema)
    _, run_folder = workspace.new_run_folder()
    settings = {"max_epochs": epochs, "max_mask_rows": str(n_rows)}
    dataset = DatasetRef.of(table, info.dataset_id)
    train_run(Source(table.frame, schema, dataset), run_folder, settings, title=path.stem)


def first_page(server: Server, browser: Browser) -> float:
    """Seconds until the heading of the first page is there, on a server that just became healthy."""
    with visit(browser, server.url) as visitor:
        started = time.perf_counter()
        visitor.page.goto(server.url)
        expect(visitor.page.get_by_role("heading", level=1)).to_be_visible(timeout=PATIENCE)
        return time.perf_counter() - started


def click_seconds(visitor: Visitor, name: str) -> float:
    """Seconds from a click on the page's name in the menu to drawn."""
    link = visitor.page.locator(f'[data-testid="stSidebarNav"] a[href$="/{name}"]').first
    started = _now(visitor)
    link.click()
    expect(link).to_have_attribute("aria-current", "page")
    return _drawn(visitor, PAGES[name][0]) - started


def view_seconds(visitor: Visitor, tab: str, ready: str) -> float:
    """Seconds from a press on the tab of a view to drawn."""
    button = visitor.page.get_by_test_id("stMain").get_by_role("radio", name=tab, exact=True).first
    started = _now(visitor)
    button.click()
    return _drawn(visitor, ready) - started


def _now(visitor: Visitor) -> float:
    return float(visitor.page.evaluate("performance.now()")) / 1000


def _drawn(visitor: Visitor, ready: str) -> float:
    """When everything was there, by the clock of :func:`_now`."""
    handle = visitor.page.wait_for_function(DRAWN, arg=[ready, REST_MS], timeout=PATIENCE)
    since = float(handle.json_value()) / 1000
    visitor.page.evaluate("() => { window.drawnSince = undefined; }")
    return since


def _round(visitor: Visitor) -> dict[str, float]:
    times: dict[str, float] = {}
    for name, (_, views) in PAGES.items():
        times[name] = click_seconds(visitor, name)
        times |= {f"{name}: {tab}": view_seconds(visitor, tab, ready) for tab, ready in views.items()}
    return times


def _print_times(visitor: Visitor, repeats: int) -> None:
    rounds = [_round(visitor) for _ in range(repeats + 1)]
    print("| page | first, s | again, s |\n|---|---|---|")
    for name, first in rounds[0].items():
        again = statistics.median([times[name] for times in rounds[1:]] or [first])
        print(f"| {name} | {first:.2f} | {again:.2f} |")


def _print_answers(visitor: Visitor, root: Path, repeats: int) -> None:
    shown, own = answers(visitor, repeats), engine_answers(root, repeats)
    print("\n| a changed value, ms | median | slowest |\n|---|---|---|")
    for name, times in (("to the moved answer", shown), ("of that in the engine", own)):
        print(f"| {name} | {1000 * statistics.median(times):.0f} | {1000 * max(times):.0f} |")


def answers(visitor: Visitor, repeats: int) -> list[float]:
    """Seconds from a changed value to the moved answer, in the browser; the first change is not counted."""
    click_seconds(visitor, "decision")
    view_seconds(visitor, "What if", CHART)
    entry = visitor.page.get_by_label(re.compile("as a number$")).first
    own = float(entry.input_value())
    times = []
    for turn in range(repeats + 1):
        entry.fill(f"{own if turn % 2 else 2 * own + 1:g}")
        before, started = visitor.page.evaluate(NUMBERS), _now(visitor)
        entry.press("Enter")
        moved = visitor.page.wait_for_function(MOVED, arg=before, timeout=PATIENCE).json_value()
        times.append(float(moved) / 1000 - started)
        _drawn(visitor, CHART)
    return times[1:]


def engine_answers(root: Path, repeats: int) -> list[float]:
    """Seconds that the engine takes for the answer, in this process."""
    workspace = Workspace.open(root)
    run = next(workspace.run(item.run_id) for item in workspace.list_runs() if item.manifest is not None)
    row = workspace.load_frame(str(run.manifest.dataset.dataset_id)).iloc[[0]]
    question = WhatIf.of(Subject.of_run(run), run.encoder, row, 0)
    number = next(
        column.name for column in run.schema.columns if column.name in question.own and column.kind is Kind.NUMBER
    )
    times = []
    for turn in range(repeats + 1):
        started = time.perf_counter()
        question.answer({number: float(turn + 1)})
        times.append(time.perf_counter() - started)
    return times[1:]


def memory(visitor: Visitor, server: Server) -> tuple[float, float]:
    """MiB of the server's processes and of the JavaScript heap of the tab, after a collection in the latter."""
    root = psutil.Process(server.process.pid)
    resident = sum(process.memory_info().rss for process in (root, *root.children(recursive=True)))
    session = visitor.page.context.new_cdp_session(visitor.page)
    session.send("HeapProfiler.collectGarbage")
    heap = session.send("Runtime.getHeapUsage")["usedSize"]
    session.detach()
    return resident / MEBIBYTE, heap / MEBIBYTE


def _print_memory(visitor: Visitor, server: Server, changes: int) -> None:
    before = memory(visitor, server)
    names = list(PAGES)
    for change in range(changes):
        click_seconds(visitor, names[change % len(names)])
    after = memory(visitor, server)
    print(f"\n| memory, MiB | before | after {changes} page changes |\n|---|---|---|")
    for name, first, last in zip(("server", "tab's heap"), before, after, strict=True):
        print(f"| {name} | {first:.0f} | {last:.0f} |")


if __name__ == "__main__":
    main()
