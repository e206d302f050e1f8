"""The anchor file: heads of the chain, kept where the database's owner cannot write them."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from io import SEEK_END
from pathlib import Path
from typing import BinaryIO, Final

from silverwatch.domain.audit.chain import Head, Problems

LONGEST_LINE: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor(Head):
    """A head and when it was written down."""

    at: datetime


def append(path: Path, head: Head, *, at: datetime) -> None:
    """Add one line and wait until the disk has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps({"at": at.isoformat(), "seq": head.seq, "mac": head.mac.hex()})
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), "rb+", buffering=0) as file:
        # A line that a power cut tore must not swallow this one.
        torn = b"" if _ends_whole(file) else b"\n"
        file.write(torn + line.encode() + b"\n")
        os.fsync(file.fileno())


def last(path: Path) -> Anchor | None:
    """The newest anchor, from the end of the file; None where there is none."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, SEEK_END)
            file.seek(max(0, size - 4 * LONGEST_LINE))
            lines = file.read().split(b"\n")
    except OSError:
        return None
    found = (_anchor(line) for line in reversed(lines) if line)
    return next((anchor for anchor in found if anchor is not None), None)


def read(path: Path, problems: Problems | None = None) -> Iterator[Anchor]:
    """The anchors that are there now, one by one; what is none is told to `problems`.

    The end is looked up at once and not when the walk gets there: whoever reads the rows after this call finds
    every row that these anchors speak of. Raises FileNotFoundError.
    """
    file = path.open("rb")
    return _walk(file, file.seek(0, SEEK_END), Problems() if problems is None else problems)


def _walk(file: BinaryIO, size: int, problems: Problems) -> Iterator[Anchor]:
    with file:
        file.seek(0)
        number = 0
        while file.tell() < size:
            line = file.readline(LONGEST_LINE)
            number += 1
            anchor = _anchor(line)
            if anchor is not None:
                yield anchor
            elif line.rstrip(b"\n").endswith(b"}") or not line.startswith(b"{"):
                # One that only lacks its end was torn by a power cut.
                problems.add(f"Line {number} of the anchor file is no anchor: somebody changed the file.")


def _anchor(line: bytes) -> Anchor | None:
    try:
        item = json.loads(line)
        return Anchor(
            at=datetime.fromisoformat(item["at"]), seq=int(item["seq"]), mac=bytes.fromhex(item["mac"])
        )
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None


def _ends_whole(file: BinaryIO) -> bool:
    size = file.seek(0, SEEK_END)
    if size == 0:
        return True
    file.seek(size - 1)
    return file.read(1) == b"\n"
