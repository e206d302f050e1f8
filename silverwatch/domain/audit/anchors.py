"""The anchor file: heads of the chain, kept where the database's owner cannot write them."""

import json
import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from silverwatch.domain.audit.chain import Head
from silverwatch.domain.errors import DomainError


def append(path: Path, head: Head, *, at: datetime) -> None:
    """Add one line and wait until the disk has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps({"at": at.isoformat(), "seq": head.seq, "mac": head.mac.hex()})
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "w") as file:
        file.write(line + "\n")
        file.flush()
        os.fsync(file.fileno())


def read(path: Path) -> Sequence[Head]:
    """All anchors; a last line that was cut off by a crash is left out. Raises DomainError for another one."""
    if not path.exists():
        return ()
    lines = path.read_text("utf-8").splitlines()
    found = []
    for number, line in enumerate(lines, start=1):
        try:
            item = json.loads(line)
            found.append(Head(seq=int(item["seq"]), mac=bytes.fromhex(item["mac"])))
        except (ValueError, KeyError, TypeError):
            if number < len(lines):
                raise DomainError(
                    f"Line {number} of {path} is no anchor: somebody changed the file."
                ) from None
    return found
