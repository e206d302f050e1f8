"""What the tests do with a page, and what no page may do behind their back."""

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.e2e.demo import Demo

WITHIN_MS = 15_000
"""A bound for waits, generous because test machines are slow. What a test measures, it prints."""

LEFT = "net::ERR_ABORTED"
"""A request that ended because its page was left."""


class Watch:
    """Everything that went wrong in a context, apart from what its test provokes."""

    def __init__(self, context: BrowserContext) -> None:
        self._found: list[str] = []
        self._allowed: list[str] = []
        context.on("page", self._page)

    def allow(self, *patterns: str) -> None:
        """The test provokes this."""
        self._allowed += patterns

    def problems(self) -> list[str]:
        """What nobody expected."""
        return [
            text for text in self._found if not any(re.search(pattern, text) for pattern in self._allowed)
        ]

    def _page(self, page: Page) -> None:
        say = self._found.append
        page.on("console", lambda m: say(f"console: {m.text}") if m.type == "error" else None)
        page.on("pageerror", lambda error: say(f"script: {error}"))
        page.on(
            "requestfailed",
            lambda r: say(f"request: {r.url} {r.failure}") if LEFT not in (r.failure or "") else None,
        )


def sign_in(page: Page, demo: Demo, role: str = "caregiver", ward: str | None = "4b") -> None:
    """Sign in with the form."""
    who = demo.account(role, ward)
    page.goto(f"{demo.url}/login")
    page.fill("#email", who["email"])
    page.fill("#password", who["password"])
    page.click("main button")
    expect(page).not_to_have_url(re.compile("/login"))


def board(page: Page, demo: Demo, *, query: str = "") -> None:
    """The nurse's board, with its socket open."""
    sign_in(page, demo)
    if query:
        page.goto(f"{demo.url}/ward/4b{query}")
    wait_live(page)


def wait_live(page: Page) -> None:
    """The modules run and the socket ticks."""
    expect(page.locator("html")).to_have_attribute("data-live", "live", timeout=WITHIN_MS)


def tile(page: Page, bed: int | str) -> Locator:
    """The tile of a bed."""
    return page.get_by_role("article", name=f"Bed {bed}", exact=True)


def has(page: Page, locator: Locator, class_name: str, *, timeout: float = WITHIN_MS) -> None:
    """Wait until the element has the class."""
    expect(locator).to_have_class(re.compile(rf"\b{class_name}\b"), timeout=timeout)


def frames_of(page: Page) -> tuple[list[str], list[Any]]:
    """The frames of the sockets that the page opens from now on, and those sockets."""
    frames: list[str] = []
    sockets: list[Any] = []

    def opened(socket: Any) -> None:
        sockets.append(socket)
        socket.on(
            "framereceived", lambda data: frames.append(data if isinstance(data, str) else data.decode())
        )

    page.on("websocket", opened)
    return frames, sockets


def until(page: Page, true: Callable[[], bool], *, within_s: float = 20, why: str = "") -> None:
    """Wait for something that is not in the page, letting the page live meanwhile."""
    for _ in range(int(within_s * 20)):
        if true():
            return
        page.wait_for_timeout(50)
    raise AssertionError(why or "it did not come")
