"""Every route of the application with something in its placeholders, and somebody who visits it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from flask import Flask
from sqlalchemy import select
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from silverwatch import clock, db
from silverwatch.domain.access import Actor, Role
from silverwatch.domain.accounts import displays
from silverwatch.domain.accounts.models import Account
from silverwatch.domain.wards.models import Ward
from tests.cast import PASSWORD, People
from tests.conftest import Site

NOBODY: Final = UUID("01900000-0000-7000-8000-000000000000")
FREE: Final = {"HEAD", "OPTIONS"}
EMAILS: Final = {
    "patient": "patience",
    "technician": "tekla",
    "caregiver": "amina",
    "caregiver elsewhere": "bruno",
    "admin": "ada",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A route: `rule` as it is written in the code, `methods` without those that Flask adds."""

    rule: str
    endpoint: str
    methods: frozenset[str]
    is_socket: bool

    def path(self, objects: Mapping[str, object]) -> str:
        """The address with these objects in it; what is not there is nobody's."""

        def fill(match: re.Match[str]) -> str:
            kind, _, name = match[1].rpartition(":")
            return str(
                objects.get(f"{self.rule} {name}")
                or objects.get(name)
                or {"uuid": NOBODY, "int": 0}.get(kind, "x")
            )

        return re.sub(r"<([^>]+)>", fill, self.rule)

    @property
    def names(self) -> list[str]:
        """What stands in the placeholders."""
        return [found.rpartition(":")[2] for found in re.findall(r"<([^>]+)>", self.rule)]


def visits(app: Flask) -> list[Visit]:
    """Every route, in order."""
    return sorted(
        (_visit(rule) for rule in app.url_map.iter_rules()), key=lambda v: (v.rule, sorted(v.methods))
    )


def _visit(rule: Rule) -> Visit:
    return Visit(
        rule=rule.rule,
        endpoint=rule.endpoint,
        methods=frozenset((rule.methods or {"GET"}) - FREE),
        is_socket=bool(rule.websocket),
    )


class Visitor:
    """Somebody with a browser, who signs in again after each form: it may have ended or locked the session."""

    def __init__(self, site: Site, people: People, who: str) -> None:
        self._site = site
        self._who = who
        self.email = getattr(people, EMAILS[who]) if who in EMAILS else None
        self._client = site.browser()
        self._enter()

    def _enter(self) -> None:
        if self._who == "anonymous":
            return
        self._client = self._site.browser()
        with self._site.cursor() as cur:
            # It enters more often than anybody should; what limits that has tests of its own.
            cur.execute("DELETE FROM throttle_bucket")
        if self._who == "display":
            answer = self._client.submit("/wall", {"code": self._code()})
        else:
            answer = self._client.sign_in(self.email, PASSWORD)
        assert answer.status_code == 303, answer.get_data(as_text=True)

    def _code(self) -> str:
        """The code of a new wall screen of ward A."""
        with db.transaction() as session:
            ada = session.scalars(select(Account).where(Account.role == "admin")).first()
            ward = session.scalars(select(Ward).where(Ward.slug == "a")).one()
            assert ada is not None
            by = Actor(account_id=ada.id, role=Role.ADMIN, name=ada.name, ward_ids=frozenset([ward.id]))
            return displays.create(session, by=by, ward_id=ward.id, name="Wall", now=clock.now())[1]

    def visit(self, visit: Visit, method: str, objects: Mapping[str, object] | None = None) -> TestResponse:
        """One request; a form that is posted carries its token."""
        path = visit.path(objects or {})
        if visit.is_socket:
            headers = {"Upgrade": "websocket", "Connection": "Upgrade", "Origin": "ws://localhost"}
            return self._client.open(path, method=method, base_url="ws://localhost", headers=headers)
        if method not in {"POST", "PUT", "PATCH", "DELETE"} or path.startswith("/api/"):
            return self._client.open(path, method=method)
        answer = self._client.open(path, method=method, data={"csrf_token": self._client.token()})
        self._enter()
        return answer
