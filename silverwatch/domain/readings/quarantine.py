"""What was refused or waits for a person's decision, kept as it came. A resend is the same row."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Cursor

from silverwatch import clock
from silverwatch.domain.readings.accept import Refusal


@dataclass(frozen=True, slots=True)
class Kept:
    """A refusal with the item that it is about, in the words of its sender."""

    device_id: UUID
    patient_id: UUID | None
    measured_at: datetime | None
    refusal: Refusal
    item: str

    @property
    def pointer(self) -> str:
        """JSON pointer into the item."""
        return pointer(self.refusal.field)

    @property
    def key(self) -> bytes:
        """The same for a resend."""
        said = "\n".join((str(self.device_id), self.refusal.code, self.pointer, self.item))
        return hashlib.sha256(said.encode()).digest()


def pointer(field: str) -> str:
    """RFC 6901; empty for the whole."""
    return "/" + field.replace("~", "~0").replace("/", "~1") if field else ""


_KEEP = (
    "INSERT INTO quarantine"
    " (id, key, device_id, patient_id, measured_at, code, pointer, detail, item, resends, received_at)"
    " SELECT n.*, %s FROM unnest(%s::uuid[], %s::bytea[], %s::uuid[], %s::uuid[], %s::timestamptz[],"
    " %s::text[], %s::text[], %s::text[], %s::text[], %s::int4[]) AS n"
    " ON CONFLICT (key) DO UPDATE SET resends = quarantine.resends + 1 + excluded.resends"
)


def keep(cur: Cursor[Any], items: Iterable[Kept], *, received_at: datetime) -> None:
    """Store them; those that are there already count one resend more. One statement."""
    lines: dict[bytes, list[Any]] = {}
    for kept in items:
        key = kept.key
        if key in lines:
            lines[key][-1] += 1
        else:
            lines[key] = [clock.new_id(), key, kept.device_id, kept.patient_id, kept.measured_at]
            lines[key] += [kept.refusal.code, kept.pointer, kept.refusal.detail, kept.item, 0]
    if lines:
        # In the order of keys, so that two that keep the same items cannot wait for each other.
        columns = zip(*(lines[key] for key in sorted(lines)), strict=True)
        cur.execute(_KEEP, (received_at, *(list(column) for column in columns)))
