"""The chain: each row's HMAC covers the row and the HMAC before it, with a key that the database never sees.

So whoever changes, removes, reorders or cuts off rows with all the rights of the database's owner is found by
`verify`, down to the newest head that was written to a place outside (the anchor file and the log).
"""

import hashlib
import hmac
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

GENESIS: Final = bytes(32)

COVERED: Final = (
    "seq", "at", "action", "outcome", "account_id", "account_name", "role", "session_id", "patient_ids", "ward_id",
    "subject", "detail", "address", "request_id",
)  # fmt: skip
"""Every column but the mac itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The newest row of the chain at a moment."""

    seq: int
    mac: bytes


def seal(key: bytes, row: Any, *, after: bytes) -> bytes:
    """The mac of a row (attributes or keys named in COVERED) that follows the row with the mac `after`."""
    return hmac.new(key, after + canonical(row), hashlib.sha256).digest()


def canonical(row: Any) -> bytes:
    """The row as bytes that are the same wherever and whenever it is read."""
    values = {name: row[name] if isinstance(row, dict) else getattr(row, name) for name in COVERED}
    return json.dumps(_plain(values), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return str(value) if isinstance(value, UUID) else value


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What `verify` found. `problems` are sentences; `after_anchor` rows are covered by no anchor yet."""

    rows: int
    head: Head | None
    anchors: int
    after_anchor: int
    problems: Sequence[str]

    @property
    def sound(self) -> bool:
        """Is nothing wrong?"""
        return not self.problems


def verify(rows: Iterable[Any], *, keys: Sequence[bytes], anchors: Sequence[Head]) -> Verdict:
    """Walk the whole chain in order of `seq` and compare it with the anchors; stops telling after 20 problems."""
    wanted = {anchor.seq: anchor.mac for anchor in anchors}
    problems: list[str] = []
    before, count, seq = GENESIS, 0, 0
    for row in rows:
        count += 1
        if row.seq != seq + 1:
            problems.append(f"Row {seq + 1} is missing: row {row.seq} comes after row {seq}.")
        if not any(hmac.compare_digest(seal(key, row, after=before), row.mac) for key in keys):
            problems.append(f"Row {row.seq} was changed, or the row before it was changed or removed.")
        if row.seq in wanted and not hmac.compare_digest(wanted.pop(row.seq), row.mac):
            problems.append(f"Row {row.seq} is not the row that was anchored.")
        before, seq = row.mac, row.seq
        if len(problems) >= 20:
            break
    else:
        problems += [f"Row {gone} was anchored and is gone: the end was cut off." for gone in sorted(wanted)]
    newest = max((anchor.seq for anchor in anchors), default=0)
    head = Head(seq=seq, mac=before) if count else None
    return Verdict(
        rows=count, head=head, anchors=len(anchors), after_anchor=max(0, seq - newest), problems=problems
    )
