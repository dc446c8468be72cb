"""The browser that the browser tests drive: ``python -m tests.browser.chromium`` puts one in place where there is none.

It takes an installed Chromium or Chrome, else Playwright's own download, else Debian's package where that may be
installed without a question.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Browser, Playwright, sync_playwright

HEADLESS = "chromium-headless-shell"  # draws no window of its own, which halves its work
NAMES = (HEADLESS, "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
PLACES = (
    Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"),
    Path("/Applications/Chromium.app/Contents/MacOS/Chromium"),
    *(
        Path(os.environ[folder], tail)
        for folder in ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA")
        for tail in ("Google/Chrome/Application/chrome.exe", "Microsoft/Edge/Application/msedge.exe")
        if folder in os.environ
    ),
)
FLAGS = (
    "--disable-gpu",  # where there is none, drawing as if there were one costs much more
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
MISSING = (
    "The browser tests found no browser and could not put one in place. Install Chromium or Google Chrome (Debian: "
    "apt install chromium; macOS: brew install --cask google-chrome), or run: python -m playwright install chromium"
)
PATIENCE = 300  # seconds for one way of getting a browser; a large download over a slow line takes minutes


def find(playwright: Playwright | None = None) -> str | None:
    """Return the path of a browser that starts: an installed one, else the one that Playwright downloaded.

    ``playwright`` is needed only where one is in use already, since there can be only one at a time.
    """
    for path in (*map(shutil.which, NAMES), *map(str, PLACES)):
        if path and _starts(path):
            return path
    own = playwright.chromium.executable_path if playwright else _playwrights_own()
    return own if _starts(own) else None


def launch(playwright: Playwright) -> Browser:
    """Start the browser without a window; raises RuntimeError where there is none, with what to do about it."""
    path = find(playwright)
    if path is None:
        raise RuntimeError(MISSING)
    sandbox = [] if not hasattr(os, "geteuid") or os.geteuid() else ["--no-sandbox"]
    return playwright.chromium.launch(executable_path=path, args=[*FLAGS, *sandbox])


def put_in_place() -> str | None:
    """Return the path of a browser, which is downloaded or installed where there is none; None if that fails too."""
    path = find()
    for attempt in (_download, _install_package):
        if path is None:
            attempt()
            path = find()
    return path


def main() -> int:
    """Put a browser in place and print its path."""
    path = put_in_place()
    print(f"Browser: {path}" if path else MISSING, flush=True)
    return 0 if path else 1


def _starts(path: str) -> bool:
    """Whether a browser is there with all libraries that it needs."""
    if not Path(path).exists():
        return False
    return os.name == "nt" or _run([path, "--version"], 60) is None  # on Windows that would open a window


def _playwrights_own() -> str:
    with sync_playwright() as playwright:
        return playwright.chromium.executable_path


def _download() -> None:
    command = [sys.executable, "-m", "playwright", "install", "--no-shell", "chromium"]
    _try("Playwright's download", command, PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT="5000")  # ms, for each of its hosts


def _install_package() -> None:
    if not shutil.which("apt-get"):
        return
    root: list[str] = []
    if os.geteuid() != 0:
        root = ["sudo", "-n"]
        if not shutil.which("sudo") or _run([*root, "true"], 10) is not None:
            return
    _try("Debian's list of packages", [*root, "apt-get", "update", "-qq"])
    wait = ("-o", "DPkg::Lock::Timeout=120")  # a machine that has just booted may be updating itself
    install = ("apt-get", *wait, "install", "-y", "-qq", "--no-install-recommends", HEADLESS)
    _try("Debian's package", [*root, "env", "DEBIAN_FRONTEND=noninteractive", *install])


def _try(what: str, command: Sequence[str], **environment: str) -> None:
    print(f"No browser yet. Trying {what} ...", flush=True)
    if (problem := _run(command, PATIENCE, **environment)) is not None:
        print(f"{what} failed: {problem}", flush=True)


def _run(command: Sequence[str], seconds: float, **environment: str) -> str | None:
    """Run a command that asks nothing; returns None if it succeeds, else its first line about an error, or its last."""
    process = subprocess.Popen(
        command,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        _end(process)
        return f"it took longer than {seconds:.0f} s"
    lines = output.strip().splitlines() or [f"exit status {process.returncode}"]
    told = next((line for line in lines if "error" in line.lower() or line.startswith("E:")), lines[-1])
    return told.strip() if process.returncode else None


def _end(process: "subprocess.Popen[str]") -> None:
    """End the process and what it has started."""
    with contextlib.suppress(OSError):
        if os.name == "nt":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


if __name__ == "__main__":
    sys.exit(main())
