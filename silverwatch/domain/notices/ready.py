"""What is known of a notice when it goes out. It leaves the hospital, so it names no patient."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from silverwatch.domain.accounts.models import Account
from silverwatch.domain.alerts import whereabouts
from silverwatch.domain.alerts.models import Alert
from silverwatch.domain.notices.models import Escalation, Notice, NoticeAddress
from silverwatch.domain.wards.models import Bed, Ward

TEST: Final = "test"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """One attempt that was noted and is to be made. Names nobody: ward, bed and what it is about.

    `repeat`: an attempt before this one may have arrived: whoever made it has died. `kind` is TEST for one that
    is about no alert.
    """

    id: UUID
    alert_id: UUID | None
    channel: str
    address: str
    address_id: UUID | None
    secret: bytes | None
    account_id: UUID
    language: str
    priority: str
    technical: bool
    kind: str
    vital: str | None
    side: str | None
    ward_name: str | None
    ward_slug: str | None
    bed: str | None
    raised_at: datetime
    created_at: datetime
    ended: bool
    repeat: bool


def ready(
    session: Session,
    notice: Notice,
    alert: Alert | None,
    account: Account,
    address: NoticeAddress | None,
    *,
    repeat: bool,
    now: datetime,
) -> Ready:
    """The attempt at this notice; `alert` is None for a test."""
    place = _place(session, notice, alert, now=now) if alert else (None, None, None)
    return Ready(
        id=notice.id,
        alert_id=alert.id if alert else None,
        channel=notice.channel,
        address=address.address if address else account.email,
        address_id=notice.address_id,
        secret=address.secret if address else None,
        account_id=account.id,
        language=account.language,
        priority=alert.priority if alert else notice.priority,
        technical=alert.technical if alert else True,
        kind=alert.kind if alert else TEST,
        vital=alert.vital if alert else None,
        side=alert.side if alert else None,
        ward_name=place[0],
        ward_slug=place[1],
        bed=place[2],
        raised_at=alert.raised_at if alert else notice.created_at,
        created_at=notice.created_at,
        ended=alert is not None and alert.ended_at is not None,
        repeat=repeat,
    )


def _place(
    session: Session, notice: Notice, alert: Alert, *, now: datetime
) -> tuple[str | None, str | None, str | None]:
    """Ward and bed: where the patient lies now, for the alert that this notice is about."""
    bed_label = None
    if alert.patient_id is not None:
        place = whereabouts.places_of(session, [alert.patient_id], now=now).get(alert.patient_id)
        bed = session.get(Bed, place[0]) if place else None
        ward = session.get(Ward, place[1]) if place else None
        bed_label = bed.label if bed else None
    else:
        ward_id = session.scalar(select(Escalation.ward_id).where(Escalation.id == notice.escalation_id))
        ward = session.get(Ward, ward_id) if ward_id else None
    return (ward.name, ward.slug, bed_label) if ward else (None, None, bed_label)
