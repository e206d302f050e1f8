"""How a test pairs a device."""

import re
from typing import Any
from uuid import UUID

from werkzeug.test import TestResponse

from tests.cast import PASSWORD
from tests.checked import CheckedClient
from tests.conftest import Site


def technician(site: Site, email: str) -> CheckedClient:
    """A browser in which somebody is signed in."""
    browser = site.browser()
    assert browser.sign_in(email, PASSWORD).status_code == 303
    return browser


def code_for(browser: CheckedClient, device_id: UUID) -> tuple[str, str]:
    """Make a code on the page of the device; gives it and the address of its panel."""
    answer = browser.submit(f"/devices/{device_id}/pairing")
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return code_on(browser, answer.location), answer.location


def code_on(browser: CheckedClient, path: str) -> str:
    """The code that the panel shows."""
    found = re.search(r'aria-label="([2-9A-HJKMNP-Z]{3}-[2-9A-HJKMNP-Z]{3})"', words(browser, path))
    assert found
    return found[1]


def words(browser: CheckedClient, path: str) -> str:
    """A page as it is now."""
    answer = browser.get(path)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def state_on(browser: CheckedClient, path: str) -> str:
    """How far the panel says it is."""
    found = re.search(r'data-state="(\w+)"', words(browser, path))
    assert found
    return found[1]


def claim(site: Site, code: str, **more: Any) -> TestResponse:
    """What a device sends that has a code."""
    return site.browser().post("/api/devices/claim/", json={"code": code, **more})


def wrong(code: str) -> str:
    """A code that begins like this one and is another."""
    return code[:-1] + ("X" if code[-1] != "X" else "Z")
