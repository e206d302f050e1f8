"""The site of a run: its processes, a ward with a crew on duty who can be told, patients, and two receivers."""

import base64
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from benchmarks.chain.receivers import Receiver
from benchmarks.faults.site import Site
from benchmarks.place import ROOT, Bedside, new_patient
from silverwatch import clock, db, keys
from silverwatch.domain import audit, models
from silverwatch.domain.access import Actor, Role
from silverwatch.domain.accounts.models import Account
from silverwatch.domain.accounts.service import create_account
from silverwatch.domain.alerts import chains
from silverwatch.domain.alerts.steps import Channel, Step
from silverwatch.domain.notices import addresses, gateways
from silverwatch.domain.wards import roster
from silverwatch.domain.wards.models import Bed, Ward
from silverwatch.domain.wards.shifts import DutyRole

STARTUP: Final = Path(__file__).parent / "startup"
PASSWORD: Final = "a password of the chain"
STEP_S: Final = 6
"""The second step comes so long after the first."""
SPOT_S: Final = 3600.0
"""Their devices measure now and then: none is called silent because it said nothing for a minute."""
BOTH: Final[tuple[Channel, ...]] = ("web", "webhook", "email")
CREW: Final = (("Nora", "nurse"), ("Nils", "nurse"), ("Dora", "doctor"))


@dataclass(slots=True, kw_only=True)
class Stage:
    """A running site with people on duty. `actors` by name; `patients` that nobody has used yet."""

    site: Site
    ward_id: UUID
    actors: dict[str, Actor]
    webhooks: Receiver
    mails: Receiver
    patients: list[Bedside] = field(default_factory=list)

    def fresh(self, count: int) -> list[Bedside]:
        """So many patients of whom nobody was told anything yet."""
        while len(self.patients) < count:
            self._more()
        taken, self.patients = self.patients[:count], self.patients[count:]
        return taken

    def _more(self) -> None:
        with db.transaction() as session:
            for _ in range(10):
                bed = Bed(
                    id=clock.new_id(), ward_id=self.ward_id, label=f"C{clock.new_id().hex[-6:]}", position=1
                )
                session.add(bed)
                session.flush()
                self.patients.append(new_patient(session, f"chain-{bed.id.hex}", interval_s=SPOT_S, bed=bed))


@contextmanager
def open_stage(logs: Path | None = None) -> Iterator[Stage]:
    """Everything is up and somebody is on duty until the end of the block."""
    with tempfile.TemporaryDirectory(prefix="silverwatch-chain-") as name:
        folder = Path(name)
        secrets = folder / "secrets.json"
        secrets.write_text("{}")
        receivers = [Receiver(kind, folder, secrets=secrets) for kind in ("webhook", "email")]
        env = {
            "PYTHONPATH": f"{STARTUP}{os.pathsep}{ROOT}",
            "CHAIN_SMTP_URL": f"smtp://127.0.0.1:{receivers[1].port}",
        }
        try:
            for receiver in receivers:
                receiver.start()
            with Site(logs, env=env) as site:
                db.configure(site.info["database_url"])
                stage = _people(site, webhooks=receivers[0], mails=receivers[1], secrets=secrets)
                try:
                    yield stage
                finally:
                    db.dispose()
        finally:
            for receiver in receivers:
                receiver.stop()


def _people(site: Site, *, webhooks: Receiver, mails: Receiver, secrets: Path) -> Stage:
    secret = (site.data_dir / "secret").read_text()
    purpose = keys.derive(secret, gateways.GROUP)
    models.metadata.sorted_tables  # noqa: B018 - tables name each other: all must be known
    audit.configure([keys.derive(secret, "audit")])
    now, shown = clock.now(), {}
    with db.transaction() as session:
        host = f"127.0.0.1:{webhooks.port}"
        present = gateways.gateways(session, keys=[purpose])
        gateways.set_gateways(
            session, replace(present, webhook_hosts=(host,)), keys=[purpose], by=None, now=now
        )
        ward = Ward(id=clock.new_id(), slug="chain", name="Chain", description="")
        session.add(ward)
        session.flush()
        actors = {}
        for name, usual in CREW:
            account = create_account(
                session, email=f"{name.lower()}@chain.example", password=PASSWORD, role=Role.CAREGIVER,
                name=name, ward_ids=[ward.id],
            )  # fmt: skip
            account.duty_role = usual
            session.flush()
            actors[name] = Actor(
                account_id=account.id, role=Role.CAREGIVER, name=name, ward_ids=frozenset([ward.id])
            )
            roster.accept(session, actors[name], ward.id, now=now, role=DutyRole(usual))
            path = f"/{name.lower()}"
            new = addresses.add(
                session,
                account.id,
                channel="webhook",
                address=f"http://{host}{path}",
                keys=[purpose],
                now=now,
            )
            assert addresses.verify(session, account.id, new.id, code=new.code, keys=[purpose], now=now)
            shown[path] = base64.b64encode(new.secret or b"").decode()
        _chain(session, ward.id, channels=BOTH)
    secrets.write_text(json.dumps(shown))
    return Stage(site=site, ward_id=ward.id, actors=actors, webhooks=webhooks, mails=mails)


def set_chain(stage: Stage, *, channels: tuple[Channel, ...]) -> None:
    """From now on the people of the ward are told on these channels."""
    with db.transaction() as session:
        _chain(session, stage.ward_id, channels=channels)


def _chain(session: Session, ward_id: UUID, *, channels: tuple[Channel, ...]) -> None:
    """Nurses at once, the doctor STEP_S later; then nobody for an hour."""
    row = session.scalars(select(Account).where(Account.role == Role.ADMIN.value)).first()
    assert row is not None
    by = Actor(account_id=row.id, role=Role.ADMIN, name=row.name, ward_ids=frozenset([ward_id]))
    steps = [
        Step(after_s=0, role=DutyRole.NURSE, channels=channels),
        Step(after_s=STEP_S, role=DutyRole.DOCTOR, channels=channels),
    ]
    hour = int(timedelta(hours=1).total_seconds())
    chains.change(session, by, ward_id=ward_id, priority="high", steps=steps, repeat_s=hour, now=clock.now())
