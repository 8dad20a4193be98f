"""How long each page takes from the click to drawn, in a headless Chromium, on one trained and explained run.

    python benchmarks/pages.py --table adult.data --header none --target 14

Without a table it takes 32,000 synthetic credit applications. ``--workspace`` keeps the trained run for the
next measurement. A page counts as drawn when its script is at rest and its first chart (or its table) is
there. One tab goes through all pages by the menu: "first" is the first round after the server started,
"again" the median of the later rounds.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from playwright.sync_api import Browser, expect

from tabnet_engine.data.kinds import propose_schema, set_target
from tabnet_engine.data.synthetic import credit_applications
from tabnet_engine.data.tables import ReadOptions, read_table
from tabnet_engine.jobs.pipeline import Source, train_run
from tabnet_engine.runs.artefact import DatasetRef
from tabnet_engine.runs.workspace import Workspace
from tests.browser.driver import PATIENCE, REST_MS, Server, Visitor, running_browser, running_server, visit

PAGES = {
    "masks": ".js-plotly-plot .main-svg",
    "shap_comparison": ".js-plotly-plot .main-svg",
    "decision": ".js-plotly-plot .main-svg",
    "importance": ".js-plotly-plot .main-svg",
    "runs": ".js-plotly-plot .main-svg",
    "dataset": '[data-testid="stDataFrame"]',
}


def main() -> None:
    """Prepare, measure, print."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory() as folder:
        root = arguments.workspace or Path(folder) / "workspace"
        dataset_id, run_id = prepare(root, arguments, Path(folder))
        with running_browser() as browser:
            with running_server(root) as server:
                print(f"first page after the server is healthy: {first_page(server, browser):.2f} s")
            with running_server(root) as server, visit(browser, server.url) as visitor:
                visitor.open(f"importance?dataset={dataset_id}&run={run_id}")
                visitor.draws()
                rounds = [{name: click_seconds(visitor, name) for name in PAGES} for _ in range(arguments.repeats + 1)]
        print("| page | first, s | again, s |\n|---|---|---|")
        for name in PAGES:
            again = statistics.median(times[name] for times in rounds[1:])
            print(f"| {name} | {rounds[0][name]:.2f} | {again:.2f} |")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", type=Path)
    parser.add_argument("--header", default="auto")
    parser.add_argument("--target", default="decision")
    parser.add_argument("--workspace", type=Path)
    parser.add_argument("--epochs", default="3", help="the figures do not depend on how well the model was trained")
    parser.add_argument("--repeats", type=int, default=5)
    return parser.parse_args()


def prepare(root: Path, arguments: argparse.Namespace, folder: Path) -> tuple[str, str]:
    """The ids of a dataset and of a trained, explained run in the workspace; both are made when absent."""
    workspace = Workspace.open(root)
    for summary in workspace.list_runs():
        if summary.manifest is not None and summary.manifest.dataset.dataset_id is not None:
            return summary.manifest.dataset.dataset_id, summary.run_id
    path = arguments.table
    if path is None:
        path = folder / "credit.csv"
        credit_applications(n_rows=32_000)[0].to_csv(path, index=False)
    table = read_table(path, ReadOptions(header=arguments.header))
    schema = set_target(propose_schema(table.frame), table.frame, arguments.target)
    info = workspace.add_dataset(table, path, schema=schema)
    run_id, run_folder = workspace.new_run_folder()
    dataset = DatasetRef.of(table, info.dataset_id)
    train_run(Source(table.frame, schema, dataset), run_folder, {"max_epochs": arguments.epochs}, title=path.stem)
    return info.dataset_id, run_id


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


if __name__ == "__main__":
    main()
