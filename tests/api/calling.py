"""How a test calls as a program: tokens, who one is, and what the audit says."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pyotp
from werkzeug.test import TestResponse

from silverwatch import clock, db
from silverwatch.domain.accounts import codes, second_factor, signing
from tests.cast import PASSWORD
from tests.conftest import Site


def post(site: Site, path: str, body: Any, token: str | None = None) -> TestResponse:
    """Post JSON from a client without cookies."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return site.browser().post(f"/api/auth/{path}/", json=body, headers=headers)


def log_in(site: Site, email: str, *, password: str = PASSWORD, **more: Any) -> dict[str, Any]:
    """Tokens for a password."""
    response = post(site, "login", {"email": email, "password": password, **more})
    assert response.status_code == 200, response.get_data(as_text=True)
    found: dict[str, Any] = response.get_json()
    return found


def me(site: Site, token: str) -> TestResponse:
    """Who is this?"""
    return site.browser().get("/api/auth/me/", headers={"Authorization": f"Bearer {token}"})


def refusals(site: Site) -> list[tuple[str, str | None]]:
    """What was refused so far: action and reason."""
    return site.rows(
        "SELECT action, detail->>'because' FROM audit_entry WHERE outcome = 'refused' ORDER BY seq"
    )


def account_id(email: str) -> UUID:
    """Whose address this is."""
    with db.transaction() as session:
        found = signing.account_id_of(session, email)
    assert found is not None
    return found


def set_up_factor(site: Site, email: str) -> tuple[pyotp.TOTP, list[str]]:
    """Give the account an app; it and the recovery codes. The code of this very moment is used up by that."""
    seed, now = codes.new_seed(), clock.now()
    app = pyotp.TOTP(codes.as_text(seed))
    with db.transaction() as session:
        recovery = second_factor.set_up(
            session, account_id=account_id(email), session_id=None, seed=seed, code=app.at(now),
            keys=codes.keys_of(site.config), now=now,
        )  # fmt: skip
    return app, recovery


def next_code(app: pyotp.TOTP) -> str:
    """The code that comes next, which counts already."""
    return app.at(clock.now() + timedelta(seconds=30))
