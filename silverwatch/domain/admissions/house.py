"""Wards, rooms and beds: added, renamed, closed and opened again, never removed. The caller commits.

Everything that is asked whether a bed can take somebody asks the bed alone: closing a room or a ward closes its beds in
the same moment, and opening it again opens those that were closed with it.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from silverwatch import clock
from silverwatch.domain import audit, events
from silverwatch.domain.access import Actor, may_see_ward
from silverwatch.domain.accounts.models import Membership
from silverwatch.domain.errors import ConflictError, NotFoundError
from silverwatch.domain.records.stays import HOME
from silverwatch.domain.wards import bed_names
from silverwatch.domain.wards.facts import PlacesChanged
from silverwatch.domain.wards.models import Bed, Room, Ward

MOST_NAME: Final = 60
MOST_ABOUT: Final = 120
_LOCK: Final = 7002
"""Of those who name wards: no two of a name."""

Place = Ward | Room | Bed
KINDS: Final[dict[str, type[Place]]] = {"ward": Ward, "room": Room, "bed": Bed}


class OccupiedError(ConflictError):
    """Somebody lies there. `patient_ids`: whose names the message says."""

    def __init__(self, message: str, patient_ids: Sequence[UUID]) -> None:
        super().__init__(message)
        self.patient_ids = patient_ids


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """How a place is called. `about` is of a ward, `room_id` of a bed."""

    name: str
    about: str = ""
    room_id: UUID | None = None


def place_of(session: Session, kind: str, place_id: UUID, *, lock: bool = False) -> Place:
    """A ward, a room or a bed; raises NotFoundError. A place at home is none that anybody names."""
    cls = KINDS.get(kind)
    found = session.get(cls, place_id, with_for_update=lock or None) if cls else None
    if not isinstance(found, Place) or (isinstance(found, Bed) and found.kind == HOME):
        raise NotFoundError("There is no such place.")
    return found


def ward_id_of(place: Place) -> UUID:
    """The ward that it is, or lies in."""
    return place.id if isinstance(place, Ward) else place.ward_id


def name_of(place: Place) -> str:
    """As it is called."""
    return place.label if isinstance(place, Bed) else place.name


def add_ward(session: Session, actor: Actor, *, ward_id: UUID, says: Name) -> None:
    """A new ward, to which who adds it belongs. Raises ConflictError for a name that there is."""
    if session.get(Ward, ward_id) is not None:
        return
    _check_ward(session, says.name, but=ward_id)
    taken = set(session.scalars(select(Ward.slug)))
    base = _slug(says.name)
    slug = next(s for n in range(1, len(taken) + 2) if (s := base if n == 1 else f"{base}-{n}") not in taken)
    session.add(Ward(id=ward_id, slug=slug, name=says.name, description=says.about))
    session.flush()
    session.add(Membership(account_id=actor.account_id, ward_id=ward_id))
    _note(session, "ward.added", ("ward", ward_id), ward_id, name=says.name)


def add_room(session: Session, *, room_id: UUID, ward_id: UUID, name: str) -> None:
    """A new room of an open ward. Raises ConflictError for a name that there is."""
    ward = _open_ward(session, ward_id)
    if session.get(Room, room_id) is not None:
        return
    _check_room(session, ward.id, name, but=room_id)
    session.add(Room(id=room_id, ward_id=ward.id, name=name))
    _note(session, "room.added", ("room", room_id), ward.id, name=name)


def check_beds(session: Session, ward_id: UUID, room_id: UUID | None, labels: Iterable[str]) -> None:
    """Raises ConflictError where one of these beds is there already, or the room is closed."""
    there = {label.casefold() for label in session.scalars(select(Bed.label).where(Bed.ward_id == ward_id))}
    double = [label for label in labels if label.casefold() in there]
    if double:
        raise ConflictError(f"There is a bed of this name in the ward already: {', '.join(double)}")
    _check_in_room(session, ward_id, room_id)


def add_beds(session: Session, *, ward_id: UUID, room_id: UUID | None, labels: Sequence[str]) -> None:
    """New beds, after those that are on the board. Raises ConflictError as `check_beds`."""
    ward = _open_ward(session, ward_id)
    check_beds(session, ward.id, room_id, labels)
    last = session.scalar(select(func.max(Bed.position)).where(Bed.ward_id == ward.id, Bed.kind != HOME)) or 0
    for position, label in enumerate(labels, start=last + 1):
        session.add(Bed(id=clock.new_id(), ward_id=ward.id, room_id=room_id, label=label, position=position))
    _note(session, "beds.added", ("ward", ward.id), ward.id, beds=list(labels))


def rename(session: Session, place: Place, says: Name) -> bool:
    """Call a locked place otherwise, or put a bed into another room; False when nothing changes.

    Who lies in a bed stays in it, and its history with it: it is the same bed. Raises ConflictError.
    """
    if isinstance(place, Bed):
        return _rename_bed(session, place, says)
    before = place.name
    if isinstance(place, Ward):
        _check_ward(session, says.name, but=place.id)
        if (place.name, place.description) == (says.name, says.about):
            return False
        place.name, place.description = says.name, says.about
    else:
        _check_room(session, place.ward_id, says.name, but=place.id)
        if place.name == says.name:
            return False
        place.name = says.name
    kind = "ward" if isinstance(place, Ward) else "room"
    _note(session, f"{kind}.changed", (kind, place.id), ward_id_of(place), was=before, now=says.name)
    return True


def close(session: Session, actor: Actor, place: Place, *, now: datetime) -> bool:
    """It takes nobody any more, nor do its beds; False when it is closed. Raises OccupiedError."""
    beds = _beds(session, place, lock=True)
    _refuse_occupied(session, actor, [bed.id for bed in beds], ward_id=ward_id_of(place))
    if place.closed_at is not None:
        return False
    for item in (place, *_rooms(session, place), *(bed for bed in beds if bed.kind != HOME)):
        if item.closed_at is None:
            item.closed_at = now
    kind = _kind(place)
    _note(session, f"{kind}.closed", (kind, place.id), ward_id_of(place), name=name_of(place))
    return True


def reopen(session: Session, place: Place) -> bool:
    """It takes patients again, and so do the beds that were closed with it; False when it is open.

    Raises ConflictError while the room or the ward around it is closed.
    """
    if place.closed_at is None:
        return False
    if isinstance(place, Bed) and place.room_id and session.get_one(Room, place.room_id).closed_at:
        raise ConflictError("The room of this bed is closed. Open the room first.")
    if not isinstance(place, Ward) and session.get_one(Ward, place.ward_id).closed_at:
        raise ConflictError("The ward is closed. Open the ward first.")
    moment = place.closed_at
    for item in (place, *_rooms(session, place), *_beds(session, place, lock=True)):
        if item.closed_at == moment:
            item.closed_at = None
    kind = _kind(place)
    _note(session, f"{kind}.opened", (kind, place.id), ward_id_of(place), name=name_of(place))
    return True


def _rename_bed(session: Session, bed: Bed, says: Name) -> bool:
    bed_names.check(says.name)
    clash = select(Bed.id).where(
        Bed.ward_id == bed.ward_id, func.lower(Bed.label) == says.name.lower(), Bed.id != bed.id
    )
    if session.scalar(clash) is not None:
        raise ConflictError(f"There is a bed of this name in the ward already: {says.name}")
    if says.room_id != bed.room_id:
        _check_in_room(session, bed.ward_id, says.room_id)
    if (bed.label, bed.room_id) == (says.name, says.room_id):
        return False
    detail = {
        "was": bed.label,
        "now": says.name,
        "was_in": str(bed.room_id or ""),
        "now_in": str(says.room_id or ""),
    }
    bed.label, bed.room_id = says.name, says.room_id
    _note(session, "bed.changed", ("bed", bed.id), bed.ward_id, **detail)
    return True


def _kind(place: Place) -> str:
    return next(kind for kind, cls in KINDS.items() if isinstance(place, cls))


def _open_ward(session: Session, ward_id: UUID) -> Ward:
    ward = session.get(Ward, ward_id, with_for_update={"key_share": True})
    if ward is None:
        raise NotFoundError("There is no such ward.")
    if ward.closed_at is not None:
        raise ConflictError("This ward is closed. Open it first.")
    return ward


def _check_ward(session: Session, name: str, *, but: UUID) -> None:
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    query = select(Ward.id).where(func.lower(Ward.name) == name.lower(), Ward.id != but)
    if session.scalar(query) is not None:
        raise ConflictError(f"There is a ward of this name already: {name}")


def _check_room(session: Session, ward_id: UUID, name: str, *, but: UUID) -> None:
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    query = select(Room.id).where(
        Room.ward_id == ward_id, func.lower(Room.name) == name.lower(), Room.id != but
    )
    if session.scalar(query) is not None:
        raise ConflictError(f"There is a room of this name in the ward already: {name}")


def _check_in_room(session: Session, ward_id: UUID, room_id: UUID | None) -> None:
    if room_id is None:
        return
    room = session.get(Room, room_id, with_for_update={"key_share": True})
    if room is None or room.ward_id != ward_id:
        raise ConflictError("Choose a room of this ward.")
    if room.closed_at is not None:
        raise ConflictError(f"{room.name} is closed. Choose another room.")


def _rooms(session: Session, place: Place) -> list[Room]:
    if not isinstance(place, Ward):
        return []
    return list(session.scalars(select(Room).where(Room.ward_id == place.id).with_for_update()))


def _beds(session: Session, place: Place, *, lock: bool) -> list[Bed]:
    """Its beds by id, as everybody locks them. Who lies down in one of them waits for what becomes of it."""
    which = {Ward: Bed.ward_id, Room: Bed.room_id, Bed: Bed.id}[type(place)]
    query = select(Bed).where(which == place.id).order_by(Bed.id)
    return list(session.scalars(query.with_for_update() if lock else query))


_OCCUPANTS: Final = """
SELECT b.label, p.id, p.family_name, p.given_name FROM bed b
JOIN stay s ON s.bed_id = b.id AND upper_inf(s.during) JOIN patient p ON p.id = s.patient_id
WHERE b.id = ANY(:beds) ORDER BY b.position, b.label
"""


def _refuse_occupied(session: Session, actor: Actor, bed_ids: list[UUID], *, ward_id: UUID) -> None:
    rows = session.execute(text(_OCCUPANTS), {"beds": bed_ids}).all()
    if not rows:
        return
    if may_see_ward(actor, ward_id):
        who = "; ".join(f"bed {row.label}: {row.family_name.upper()}, {row.given_name}" for row in rows)
        raise OccupiedError(
            f"Somebody lies there. Transfer or discharge them first: {who}", [row.id for row in rows]
        )
    raise OccupiedError(
        f"Occupied: {', '.join(f'bed {row.label}' for row in rows)}. Ask the ward to transfer or discharge first.",
        [],
    )


def _slug(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40] or "ward"


def _note(session: Session, action: str, subject: tuple[str, UUID], ward_id: UUID, **detail: Any) -> None:
    session.flush()
    audit.record(session, action, subject=subject, ward_id=ward_id, detail=detail)
    events.record(session, PlacesChanged(ward_id=ward_id))
