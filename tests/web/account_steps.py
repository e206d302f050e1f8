"""Steps of the tests about accounts."""

from typing import Any
from uuid import UUID

from tests.cast import PASSWORD
from tests.checked import CheckedClient
from tests.conftest import Site


def signed_in(site: Site, email: str) -> CheckedClient:
    """A browser of this person."""
    browser = site.browser()
    assert browser.sign_in(email, PASSWORD).status_code == 303
    return browser


def id_of(site: Site, email: str) -> UUID:
    """Whose address this is."""
    found: UUID = site.row("SELECT id FROM account WHERE email = %s", email)[0]
    return found


def audited(site: Site, action: str) -> list[Any]:
    """The rows of the audit about this: outcome, detail and subject."""
    query = "SELECT outcome, detail, subject FROM audit_entry WHERE action = %s ORDER BY seq"
    return site.rows(query, action)
