"""The chain: each row's HMAC covers the row and the HMAC before it, with a key that the database never sees.

So whoever changes, removes, reorders or cuts off rows with all the rights of the database's owner is found by
`verify`, down to the newest head that was written to a place outside (the anchor file and the log).
"""

import hashlib
import hmac
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

GENESIS: Final = bytes(32)
MOST_PROBLEMS: Final = 20
"""So many are told; the others are counted."""

COVERED: Final = (
    "seq", "at", "action", "outcome", "account_id", "account_name", "role", "session_id", "patient_ids", "ward_id",
    "subject", "detail", "address", "request_id",
)  # fmt: skip
"""Every column but the mac itself."""

Row = Mapping[str, Any]
"""The columns of a row by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The newest row of the chain at a moment."""

    seq: int
    mac: bytes


def seal(key: bytes, row: Row, *, after: bytes) -> bytes:
    """The mac of a row that follows the row with the mac `after`."""
    return hmac.new(key, after + canonical(row), hashlib.sha256).digest()


def canonical(row: Row) -> bytes:
    """The row as bytes that are the same wherever and whenever it is read."""
    values = {name: _plain(row[name]) for name in COVERED}
    return json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode(
        "utf-8", "surrogatepass"
    )


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
    """What `verify` found. `problems` are sentences, the first ones of `found`.

    `loose` rows, since `loose_since`, came after the newest anchor: if they were cut off, nobody would know.
    """

    rows: int
    head: Head | None
    anchors: int
    loose: int
    loose_since: datetime | None
    problems: Sequence[str]
    found: int

    @property
    def sound(self) -> bool:
        """Is nothing wrong?"""
        return self.found == 0


@dataclass(slots=True)
class Problems:
    """Sentences about what is wrong: the first ones are kept, all are counted."""

    told: list[str] = field(default_factory=list)
    found: int = 0

    def add(self, sentence: str) -> None:
        """One more."""
        self.found += 1
        if len(self.told) < MOST_PROBLEMS:
            self.told.append(sentence)


def verify(
    rows: Iterable[Row], *, keys: Sequence[bytes], anchors: Iterable[Head], problems: Problems | None = None
) -> Verdict:
    """Walk the whole chain in order of `seq`, and the anchors beside it; nothing is kept of what was walked.

    `problems` may be given with what the reading of the anchors adds to it.
    """
    problems = Problems() if problems is None else problems
    walk = _Anchors(iter(anchors), problems)
    before, seq, count, loose, loose_since = GENESIS, 0, 0, 0, None
    for row in rows:
        count += 1
        at, expected, mac = row["seq"], seq + 1, row["mac"]
        if not isinstance(at, int) or not isinstance(mac, bytes):
            problems.add(f"After row {seq} comes one without a number or a seal.")
            continue
        if at != expected:
            problems.add(_gap(expected, at))
        if not any(hmac.compare_digest(seal(key, row, after=before), mac) for key in keys):
            problems.add(f"Row {at} was changed, or what stood before it was changed or removed.")
        before, seq = mac, at
        loose, loose_since = (0, None) if walk.reaches(seq, mac) else (loose + 1, loose_since or row["at"])
    walk.end(seq)
    return Verdict(
        rows=count,
        head=Head(seq=seq, mac=before) if seq else None,
        anchors=walk.count,
        loose=loose,
        loose_since=loose_since if isinstance(loose_since, datetime) else None,
        problems=problems.told,
        found=problems.found,
    )


def _gap(expected: int, at: int) -> str:
    if at < expected:
        return f"Row {at} stands there twice."
    if at == expected + 1:
        return f"Row {expected} is missing."
    return f"Rows {expected} to {at - 1} are missing."


class _Anchors:
    """The anchors, walked beside the rows."""

    def __init__(self, heads: Iterator[Head], problems: Problems) -> None:
        self._heads = heads
        self._problems = problems
        self._next = next(heads, None)
        self.count = 0

    def reaches(self, seq: int, mac: bytes) -> bool:
        """Is this row anchored? Also tells of anchored rows before it that are not there."""
        found = False
        while self._next is not None and self._next.seq <= seq:
            if self._next.seq < seq:
                self._problems.add(f"Row {self._next.seq} was anchored and is gone.")
            elif hmac.compare_digest(self._next.mac, mac):
                found = True
            else:
                self._problems.add(f"Row {seq} is not the row that was anchored.")
            self._step()
        return found

    def end(self, seq: int) -> None:
        """No rows are left; anchors that are left speak of rows that were cut off."""
        newest = 0
        while self._next is not None:
            newest = max(newest, self._next.seq)
            self._step()
        if newest > seq:
            self._problems.add(
                f"The end was cut off: row {newest} was anchored, the last one there is {seq}."
            )

    def _step(self) -> None:
        last = self._next
        self._next = next(self._heads, None)
        self.count += 1
        if last is not None and self._next is not None and self._next.seq < last.seq:
            self._problems.add(
                f"The anchors go back from row {last.seq} to row {self._next.seq}: the database was set back,"
                " or the file was changed. Begin a new file once you know why."
            )
