"""A real Chromium against a real demo: every process of it, with its own folder, PostgreSQL and Valkey."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.conftest import missing
from tests.e2e.demo import Demo
from tests.e2e.screen import WITHIN_MS, Watch

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
Open = Callable[..., BrowserContext]

expect.set_options(timeout=WITHIN_MS)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium. Without it the tests skip loudly; where CI=true they fail."""
    path = (
        os.environ.get("SILVERWATCH_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    )
    if path is None:
        missing("no Chromium: install the package chromium, or set SILVERWATCH_CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def quiet(browser: Browser) -> Iterator[Demo]:
    """A demo without traffic."""
    demo = Demo(quiet=True)
    yield demo
    demo.stop()


@pytest.fixture(scope="session")
def lively(browser: Browser) -> Iterator[Demo]:
    """A demo with all its patients."""
    demo = Demo(quiet=False)
    yield demo
    demo.stop()


@pytest.fixture
def demo(quiet: Demo) -> Demo:
    """The quiet demo, without readings and alarms."""
    quiet.anew()
    return quiet


@pytest.fixture
def watches() -> Iterator[list[Watch]]:
    """All pages of a test; what went wrong in any of them fails it."""
    found: list[Watch] = []
    yield found
    assert [problem for watch in found for problem in watch.problems()] == []


@pytest.fixture
def watch(watches: list[Watch], page: Page) -> Watch:
    """The watch over `page`."""
    return watches[0]


@pytest.fixture
def open_context(browser: Browser, watches: list[Watch]) -> Iterator[Open]:
    """Another browser: cookies and storage of its own."""
    opened: list[BrowserContext] = []

    def open_one(**options: Any) -> BrowserContext:
        context = browser.new_context(**{"viewport": {"width": 1440, "height": 900}, **options})
        context.set_default_timeout(WITHIN_MS)
        watches.append(Watch(context))
        opened.append(context)
        return context

    yield open_one
    for context in opened:
        context.close()


@pytest.fixture
def page(open_context: Open) -> Page:
    """A page of a new browser."""
    return open_context().new_page()


@pytest.fixture(scope="session")
def pictures() -> Path:
    """Where the pictures go."""
    folder = Path(os.environ.get("SILVERWATCH_PICTURES") or "test-results")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
