"""How long each page takes from the click to drawn, in a headless Chromium, at several lengths of the table.

    python benchmarks/pages.py --rows 1000 100000 1000000 --workspace pages-bench

Each length is a table of synthetic credit applications with one trained and explained run, masks of all its rows
stored; ``--workspace`` keeps them for the next measurement. A page counts as drawn when its script is at rest and
its first chart (or its table) is there. One tab goes through all pages by the menu: "first" is the first round
after the server started, "again" the median of the later rounds. Then one value is changed on the page of one
decision, again and again: the time until the answer has moved. Last, the pages are changed ``--changes`` times: the
memory of the server and of the browser's tab, before and after.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import psutil
from playwright.sync_api import Browser, expect

from tabnet_engine.data.kinds import propose_schema, set_target
from tabnet_engine.data.synthetic import credit_applications
from tabnet_engine.data.tables import ReadOptions, read_table
from tabnet_engine.jobs.pipeline import Source, train_run
from tabnet_engine.runs.artefact import DatasetRef
from tabnet_engine.runs.workspace import Workspace
from tests.browser.driver import PATIENCE, REST_MS, Server, Visitor, running_browser, running_server, visit

CHART = ".js-plotly-plot .main-svg"
PAGES = {
    "masks": CHART,
    "shap_comparison": CHART,
    "decision": CHART,
    "importance": CHART,
    "groups": '[data-testid="stMain"] [data-testid="stElementContainer"]',
    "runs": CHART,
    "dataset": '[data-testid="stDataFrame"]',
}
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
                _print_times(visitor, arguments.repeats)
                _print_answers(visitor, arguments.repeats)
                _print_memory(visitor, server, arguments.changes)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000, 100_000, 1_000_000])
    parser.add_argument("--workspace", type=Path, help="a folder that keeps the trained runs")
    parser.add_argument("--epochs", default="2", help="the figures do not depend on how well the model was trained")
    parser.add_argument("--repeats", type=int, default=5)
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
    started = time.perf_counter()
    link.click()
    expect(link).to_have_attribute("aria-current", "page")
    expect(visitor.page.locator(PAGES[name]).first).to_be_visible(timeout=PATIENCE)
    visitor.settle()  # at rest for REST_MS, which nobody waits for
    return time.perf_counter() - started - REST_MS / 1000


def _print_times(visitor: Visitor, repeats: int) -> None:
    rounds = [{name: click_seconds(visitor, name) for name in PAGES} for _ in range(repeats + 1)]
    print("| page | first, s | again, s |\n|---|---|---|")
    for name in PAGES:
        again = statistics.median(times[name] for times in rounds[1:])
        print(f"| {name} | {rounds[0][name]:.2f} | {again:.2f} |")


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
