"""What the tests of joining and recovery share: an administrator at work, and a look into the mail."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from silverwatch import clock, db
from silverwatch.domain.access import Actor, Role
from silverwatch.domain.accounts import people as verbs
from silverwatch.web import letters
from tests.cast import People
from tests.conftest import Site

NEW = "a lamp behind the door"
BASE = "http://127.0.0.1:8000"
TOKENS = re.compile(r'(X-CSRFToken": "|csrf_token" value=")[^"]+')


@dataclass(frozen=True)
class Office:
    """An administrator at work outside a request."""

    site: Site
    actor: Actor

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A transaction in which letters can be written."""
        with self.site.app.app_context(), db.transaction() as session:
            yield session

    def invite(self, email: str = "new@a.example", role: Role = Role.CAREGIVER, **more: Any) -> UUID:
        """Invite somebody."""
        with self.session() as session:
            given = {"name": "Nia New", "ward_ids": [], "base_url": BASE, "now": clock.now(), **more}
            return verbs.invite(session, by=self.actor, email=email, role=role, tell=letters.tell, **given).id

    def approve(self, account: UUID, patient_id: UUID) -> None:
        """Say which patient somebody is."""
        with self.session() as session:
            verbs.approve_patient(
                session, by=self.actor, account_id=account, patient_id=patient_id, base_url=BASE,
                now=clock.now(), tell=letters.tell,
            )  # fmt: skip

    def deactivate(self, account: UUID) -> None:
        """End an account."""
        with self.session() as session:
            verbs.deactivate(session, by=self.actor, account_id=account, now=clock.now())


def account_id(site: Site, email: str) -> UUID:
    found: UUID = site.row("SELECT id FROM account WHERE email = %s", email)[0]
    return found


def mail(site: Site, to: str) -> list[str]:
    """Bodies of the letters to an address, oldest first."""
    return [
        f"{subject}\n{body}"
        for subject, body in site.rows("SELECT subject, body FROM letter WHERE address = %s ORDER BY id", to)
    ]


def path_in(letter: str) -> str:
    """The path of the first link of a letter that has a token in it."""
    found = re.search(re.escape(BASE) + r"(/\w+/[\w-]{43})\b", letter)
    assert found, letter
    return found[1]


def audited(site: Site, action: str) -> list[tuple[str, str | None]]:
    return site.rows("SELECT outcome, subject FROM audit_entry WHERE action = %s ORDER BY seq", action)


def text_of(answer: TestResponse) -> str:
    return TOKENS.sub("", answer.get_data(as_text=True))


@contextmanager
def later(monkeypatch: pytest.MonkeyPatch, by: timedelta) -> Iterator[None]:
    """The clock is ahead."""
    true = clock.now
    with monkeypatch.context() as patch:
        patch.setattr(clock, "now", lambda: true() + by)
        yield


def administrator(site: Site, people: People) -> Office:
    """Ada's office."""
    return Office(site, Actor(account_id=account_id(site, people.ada), role=Role.ADMIN, name="Ada"))


def register(site: Site, email: str = "mary@b.example", **more: str) -> TestResponse:
    fields = {"name": "Mary Wanjiru", "email": email, "password": NEW, **more}
    return site.browser().submit("/register", fields)
