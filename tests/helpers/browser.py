"""Debian's Chromium, headless, and what a page looks like in it.

Playwright drives it through the DevTools protocol: kept up, with no driver program of the browser's
own version, and it emulates colour schemes, paper and keys.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

__all__ = ["chromium", "opened"]

_LAYOUT = Path(__file__).with_name("browser_layout.js").read_text(encoding="utf-8")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run the browser, as root too: without the isolation of pages, which are the project's own."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    assert program, "Chromium is missing: sudo apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program)
        yield browser
        browser.close()


@contextmanager
def opened(browser: Browser, path: Path, **options: Any) -> Iterator[Page]:
    """Open a page's file without a network; what the console says in the meantime fails.

    Options are those of Playwright's ``new_context``.
    """
    context = browser.new_context(offline=True, **options)
    context.add_init_script(f"({_LAYOUT})()")
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("requestfailed", lambda request: said.append(f"failed: {request.url}"))
    page.goto(path.resolve().as_uri())
    yield page
    context.close()
    assert said == []
