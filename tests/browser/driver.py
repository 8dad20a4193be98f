"""Starts the dashboard on a free port and drives it with Debian's Chromium, as a person would."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
PATIENCE = 120_000
expect.set_options(timeout=PATIENCE)  # Playwright's own 5 s are too few on a machine that does much else
# A script that was just asked for has not started yet: at rest means so for a while, with nothing stale on the page.
REST_MS = 400
_AT_REST = """rest => {
  const app = document.querySelector('[data-testid="stApp"]');
  const idle = app?.dataset.testScriptState === "notRunning"
    && app.querySelector('[data-testid="stMain"] [data-testid="stElementContainer"]')
    && !app.querySelector('[data-stale="true"]');
  const now = performance.now();
  if (!idle) { window.restingSince = undefined; return false; }
  window.restingSince ??= now;
  if (now - window.restingSince < rest) return false;
  window.restingSince = undefined;
  return true;
}"""

# A box that opens, or a chart that comes late, moves a button away under the hand that was about to press it.
STILL_MS = 150
_STILL = """(element, still) => new Promise(done => {
  const place = () => { const r = element.getBoundingClientRect(); return `${r.x},${r.y},${r.width},${r.height}`; };
  let last = place(), since = performance.now();
  const look = () => {
    const now = place();
    if (now !== last) { last = now; since = performance.now(); }
    if (performance.now() - since >= still) done(); else requestAnimationFrame(look);
  };
  look();
})"""


def chromium_path() -> str:
    """The Chromium on this machine; `make test` installs it where it may."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name)
        if found:
            return found
    raise RuntimeError("no Chromium found; run `make browser`")


@dataclass
class Server:
    """A running dashboard with its own empty workspace."""

    url: str
    workspace: Path
    process: subprocess.Popen[bytes]
    log: Path


@contextmanager
def running_server(workspace: Path) -> Iterator[Server]:
    """Start `streamlit run app.py` on a free port and stop it, jobs included, at the end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = workspace.parent / f"{workspace.name}-server.log"
    command = [sys.executable, "-m", "streamlit", "run", "app.py"]
    options = ["--server.port", str(port), "--server.headless", "true", "--server.address", "127.0.0.1"]
    environment = {**os.environ, "TABNET_WORKSPACE": str(workspace), "OMP_NUM_THREADS": "1"}
    with log.open("wb") as output:
        process = subprocess.Popen([*command, *options], cwd=ROOT, env=environment, stdout=output, stderr=output)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_healthy(url, process, log)
        yield Server(url, workspace, process, log)
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait_healthy(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended: {log.read_text(errors='replace')}")
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2) as answer:
                if answer.read() == b"ok":
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise RuntimeError("the server never became healthy")


@dataclass
class Visitor:
    """One browser tab, the requests it made to anywhere else, and the errors its console showed."""

    page: Page
    url: str
    outside: list[str] = field(default_factory=list)
    console_errors: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.set_default_timeout(PATIENCE)
        self.page.on("request", self._note_request)
        self.page.on("console", self._note_console)

    def _note_request(self, request: Request) -> None:
        local = (self.url, self.url.replace("http", "ws", 1), "data:", "blob:")
        if not request.url.startswith(local):
            self.outside.append(request.url)

    def _note_console(self, message: ConsoleMessage) -> None:
        # On a page's own address Streamlit asks for /page/_stcore/health first, and takes /_stcore/health then.
        if message.type == "error" and "/_stcore/" not in message.location.get("url", ""):
            self.console_errors.append(message.text)

    def open(self, path: str = "") -> None:
        """Go to a page and wait until its script has run."""
        self.page.goto(f"{self.url}/{path}")
        self.settle()

    def settle(self) -> None:
        """Wait until the page is connected and its script is at rest."""
        app = self.page.get_by_test_id("stApp")
        expect(app).to_have_attribute("data-test-connection-state", "CONNECTED", timeout=PATIENCE)
        self.page.wait_for_function(_AT_REST, arg=REST_MS, timeout=PATIENCE)

    def sees(self, text: str, *, exact: bool = False, timeout: int = PATIENCE) -> None:
        """Expect a text that a person can see; a grid repeats its cells for screen readers, and those are not seen."""
        expect(self.page.get_by_text(text, exact=exact).filter(visible=True).first).to_be_visible(timeout=timeout)

    def press(self, name: str, *, exact: bool = True) -> None:
        """Click a button by what it says."""
        button = self.page.get_by_role("button", name=name, exact=exact).first
        button.evaluate(_STILL, STILL_MS)
        button.click()

    def follow(self, name: str) -> None:
        """Click a link by what it says."""
        self.page.get_by_role("link", name=name).first.click()
        self.settle()

    def open_menu(self, title: str) -> None:
        """Go to another page by the menu at the side."""
        self.page.get_by_test_id("stSidebarNav").get_by_role("link", name=title, exact=True).click()
        expect(self.page.get_by_role("heading", level=1, name=title, exact=True)).to_be_visible()
        self.settle()

    def offer(self, path: Path) -> None:
        """Hand a file to the page's uploader, opening the box that holds it where it is closed."""
        another = self.page.get_by_text("Add another table")
        if another.count():
            another.first.click()
        self.page.locator('[data-testid="stFileUploader"] input[type=file]').first.set_input_files(path)

    def add_table(self, path: Path) -> None:
        """Hand a file to the uploader and wait until it is the chosen table."""
        self.offer(path)
        table = self.page.get_by_role("combobox", name=re.compile("^Table"))
        expect(table).to_have_value(re.compile(re.escape(path.name)), timeout=PATIENCE)
        self.settle()

    def choose(self, label: str, option: str) -> None:
        """Pick an option of a choice by typing it, as a keyboard user does."""
        box = self.page.get_by_role("combobox", name=label)
        box.click()
        box.fill(option)
        self.page.get_by_role("option", name=option, exact=True).first.click()
        self.settle()

    def fill(self, label: str, text: str) -> None:
        """Type into a field and leave it."""
        field_ = self.page.get_by_label(label, exact=True).first
        field_.fill(text)
        field_.press("Tab")
        self.settle()

    def draws(self, name: str = "") -> None:
        """Expect a drawn chart, whose text for screen readers holds ``name``."""
        figures = self.page.get_by_role("figure", name=name) if name else self.page.get_by_test_id("stPlotlyChart")
        expect(figures.first.locator(".main-svg").first).to_be_visible(timeout=PATIENCE)

    def has_no_failure(self) -> None:
        """No traceback and no exception box anywhere on the page."""
        expect(self.page.get_by_test_id("stException")).to_have_count(0)
        assert "Traceback" not in self.page.inner_text("body")


@contextmanager
def running_browser() -> Iterator[Browser]:
    """A headless Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=CHROMIUM_FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def visit(
    browser: Browser, url: str, *, width: int = 1440, height: int = 1000, dark: bool = False
) -> Iterator[Visitor]:
    """A fresh tab, with nothing remembered from others."""
    scheme = "dark" if dark else "light"
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    try:
        yield Visitor(context.new_page(), url)
    finally:
        context.close()
