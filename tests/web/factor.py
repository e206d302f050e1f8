"""People with a second factor, and the app in their hand."""

import re
from datetime import timedelta
from html import unescape
from uuid import UUID

import pyotp
from sqlalchemy import select

from silverwatch import clock, db
from silverwatch.domain.accounts import codes, second_factor
from silverwatch.domain.accounts.models import Account
from silverwatch.domain.settings import service as settings
from tests.cast import PASSWORD
from tests.checked import CheckedClient
from tests.conftest import Site

LONG_AGO = timedelta(minutes=5)


def account_of(email: str) -> UUID:
    with db.transaction() as session:
        return session.scalars(select(Account.id).where(Account.email == email)).one()


def turn_on(site: Site, email: str) -> tuple[bytes, list[str]]:
    """Give an account a factor: its seed and its recovery codes."""
    seed, then = codes.new_seed(), clock.now() - LONG_AGO
    with db.transaction() as session:
        fresh = second_factor.set_up(
            session,
            account_id=account_of(email),
            session_id=None,
            seed=seed,
            code=code_of(seed, then=-LONG_AGO),
            keys=codes.keys_of(site.config),
            now=then,
        )
    return seed, fresh


def code_of(seed: bytes, *, then: timedelta = timedelta(0)) -> str:
    """What the app shows now, or then."""
    return pyotp.TOTP(codes.as_text(seed)).at(clock.now() + then)


def require(*, on: bool = True) -> None:
    with db.transaction() as session:
        settings.set_security(session, settings.Security(require_second_factor=on), by=None, now=clock.now())


def offered(page: str) -> tuple[bytes, str]:
    """The seed that a set-up page shows, and its sealed text."""
    link = unescape(page.split('href="otpauth')[1].split('"')[0])
    text = link.split("secret=")[1].split("&")[0]
    assert re.sub(r"\s|<[^>]+>", "", page.split('class="key">')[1].split("</p>")[0]) == text
    return pyotp.TOTP(text).byte_secret(), page.split('name="offer" value="')[1].split('"')[0]


def shown(page: str) -> list[str]:
    return re.findall(r"<code>([^<]+)</code>", page)


def audit_of(site: Site, action: str) -> list[str]:
    return [
        row[0] for row in site.rows("SELECT outcome FROM audit_entry WHERE action = %s ORDER BY seq", action)
    ]


def half_open(site: Site, email: str) -> CheckedClient:
    browser = site.browser()
    assert browser.sign_in(email, PASSWORD).location == "/login/code"
    return browser
