"""Writing the audit and attacking it with all the rights of the database's owner."""

from pathlib import Path
from typing import Any

import psycopg

from silverwatch import clock, db, keys
from silverwatch.domain import audit
from silverwatch.domain.access import Actor, Role
from silverwatch.domain.audit import anchors, chain, verifying
from silverwatch.domain.audit.chain import Verdict
from tests.conftest import Site

WARD, PATIENT, OTHER = clock.new_id(), clock.new_id(), clock.new_id()
WHO = audit.Who(
    actor=Actor(account_id=clock.new_id(), role=Role.CAREGIVER, name="Amina"),
    session_id=clock.new_id(),
    address="10.0.0.7",
    request_id="7f",
)


def write(count: int = 1, **more: Any) -> None:
    """So many rows, each in a transaction of its own, with something in every column."""
    audit.set_who(WHO)
    for number in range(count):
        with db.transaction() as session:
            audit.record(
                session, "thing.done", subject=("thing", OTHER), patient_ids=[PATIENT, OTHER], ward_id=WARD,
                **{"detail": {"number": number, "why": "because"}, **more},
            )  # fmt: skip
    audit.set_who(audit.Who())


def verdict(site: Site, path: Path | None = None) -> Verdict:
    """What verify finds."""
    return verifying.verify(site.config.database_url, keys=keys.of_audit(site.config), anchor_file=path)


def problems(site: Site, path: Path | None = None) -> list[str]:
    """What is wrong, in sentences."""
    return list(verdict(site, path).problems)


def as_owner(site: Site, *statements: str) -> None:
    """What the owner of the database does behind our back."""
    with psycopg.connect(site.config.owner_url.replace("+psycopg", "", 1), autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def anchor(path: Path) -> chain.Head:
    """Write the present head down."""
    with db.transaction(read_only=True) as session:
        head = audit.newest(session)
    assert head is not None
    anchors.append(path, head, at=clock.now())
    return head


def attacked(site: Site, attack: str) -> Verdict:
    """What verify finds after an attack by the owner, which is taken back afterwards."""
    with psycopg.connect(site.config.owner_url.replace("+psycopg", "", 1)) as connection:
        changed = connection.execute(attack.encode())
        assert changed.rowcount != 0, attack
        found = verifying.walk(connection, keys=keys.of_audit(site.config), anchor_file=None)
        connection.rollback()
    return found
