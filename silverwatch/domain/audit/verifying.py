"""`silverwatch audit verify`: the whole chain, read as a stream, and what is wrong with it in sentences."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg.rows import dict_row

from silverwatch.domain.audit import anchors, chain
from silverwatch.domain.audit.chain import Problems, Row, Verdict

AT_ONCE: Final = 500

# What only PostgreSQL can read (a year before Christ, an array that begins at 0) stays text and fits no seal.
_ROWS: Final = """
SELECT seq, at::text AS at, action, outcome, account_id, account_name, role, session_id,
  patient_ids::text AS patient_ids, ward_id, subject, detail::text AS detail, address, request_id, mac
FROM audit_entry ORDER BY seq
"""


def verify(database_url: str, *, keys: Sequence[bytes], anchor_file: Path | None) -> Verdict:
    """Walk the chain of a database. Memory stays the same however long it is.

    Raises psycopg.Error when the database cannot be read.
    """
    with psycopg.connect(database_url.replace("+psycopg", "", 1), connect_timeout=5) as connection:
        connection.read_only = True
        return walk(connection, keys=keys, anchor_file=anchor_file)


def walk(connection: psycopg.Connection[Any], *, keys: Sequence[bytes], anchor_file: Path | None) -> Verdict:
    """The same in the transaction of a connection."""
    problems = Problems()
    # First the anchors, then the rows: an anchor that is written meanwhile speaks of rows we do not see.
    heads = _anchors(anchor_file, problems)
    connection.execute("SET LOCAL timezone = 'UTC'; SET LOCAL datestyle = 'ISO'")
    with connection.cursor("audit", row_factory=dict_row) as rows:
        rows.itersize = AT_ONCE
        rows.execute(_ROWS)
        return chain.verify(map(_readable, rows), keys=keys, anchors=heads, problems=problems)


def _anchors(path: Path | None, problems: Problems) -> Iterator[anchors.Anchor]:
    if path is None:
        return iter(())
    try:
        return anchors.read(path, problems)
    except OSError as error:
        problems.add(
            f"The anchor file {path} cannot be read ({error.strerror}): it was removed, or housekeeping, which"
            " writes it once a minute, does not run."
        )
        return iter(())


def _readable(row: dict[str, Any]) -> Row:
    """The text of PostgreSQL as the values that were sealed."""
    listed = row["patient_ids"]
    if isinstance(listed, str) and listed[:1] == "{" and listed[-1:] == "}":
        row["patient_ids"] = listed[1:-1].split(",") if listed != "{}" else []
    for name, parse in (("at", datetime.fromisoformat), ("detail", json.loads)):
        try:
            row[name] = parse(row[name])
        except (ValueError, TypeError, RecursionError):
            row[name] = ["unreadable", row[name]]
    return row


def lines(verdict: Verdict, *, anchor_file: Path | None) -> list[str]:
    """The verdict as it is printed: one line for each problem, and a closing one."""
    told = list(verdict.problems)
    if verdict.found > len(told):
        told.append(f"And {verdict.found - len(told)} problems more.")
    head = f", head {verdict.head.seq} {verdict.head.mac.hex()}" if verdict.head else ""
    closing = [f"{verdict.rows} rows{head}", f"{verdict.anchors} anchors"]
    if anchor_file is None:
        closing.append("no anchor file is set: whoever cuts off the end is not found")
    elif verdict.loose:
        since = f" since {verdict.loose_since:%Y-%m-%d %H:%M:%S} UTC" if verdict.loose_since else ""
        closing.append(f"the last {verdict.loose} rows{since} are not anchored yet")
    else:
        closing.append("everything is anchored")
    word = "sound" if verdict.sound else f"NOT SOUND, {verdict.found} problems"
    return [*told, f"audit: {word}; {'; '.join(closing)}."]
