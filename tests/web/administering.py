"""What the tests of administrators share: people in every state, and what the audit says."""

from uuid import UUID

from silverwatch import db
from silverwatch.domain.access import Role
from silverwatch.domain.accounts.service import create_account
from tests.cast import PASSWORD
from tests.conftest import Site

NONE = "01900000-0000-7000-8000-000000000000"
LOOKS = {"session.opened", "record.viewed"}


def account(site: Site, email: str) -> UUID:
    """The id of somebody."""
    found: UUID = site.row("SELECT id FROM account WHERE email = %s", email)[0]
    return found


def actions(site: Site) -> list[str]:
    """What is in the audit besides looking and signing in."""
    return [row[0] for row in site.rows("SELECT action FROM audit_entry ORDER BY seq") if row[0] not in LOOKS]


def add(name: str, email: str, **more: object) -> UUID:
    """An account in whatever state."""
    with db.transaction() as session:
        made = create_account(session, email=email, password=PASSWORD, role=Role.CAREGIVER, name=name)
        for column, value in more.items():
            setattr(made, column, value)
        return made.id


def registered(name: str = "Wanjiru Njoroge", email: str = "wanjiru@home.example") -> UUID:
    """Who registered as a patient and confirmed the address."""
    return add(name, email, role="patient", approved_at=None)


def number_of(site: Site, patient_id: UUID) -> str:
    """A patient's hospital number."""
    found: str = site.row("SELECT hospital_number FROM patient WHERE id = %s", patient_id)[0]
    return found
