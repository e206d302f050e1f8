"""Pure: a table that somebody sends as a CSV file: bytes to text, text to rows by the names of the first line."""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from silverwatch.domain import signs

MAX_BYTES: Final = 256 * 1024
MAX_ROWS: Final = 500
LONGEST: Final = 2_000
"""So many signs of a cell are read: more than any field may have, so that its own rule can say so."""
NEVER_READ: Final = ("row", "why")
"""Columns that we add to what we give back; a file that was corrected may still have them."""

_UNWRITABLE: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff]")
"""No page may show these, and PostgreSQL does not even take the first one."""

Row = tuple[int, Mapping[str, str]]
"""The number of a row as a spreadsheet counts it, and column to what is written there: empty where nothing is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The rows of a file. `problem`: why none of it can be read."""

    rows: tuple[Row, ...] = ()
    problem: str = ""


def text_of(given: bytes) -> tuple[str, str]:
    """The text of a file, and what to do about it. UTF-8, or UTF-16 as spreadsheets mark it: a guess spoils names."""
    too_large = f"The file is larger than {MAX_BYTES // 1024} KB. Divide it."
    if len(given) > MAX_BYTES:
        return "", too_large
    encoding = "utf-16" if given.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        text = _UNWRITABLE.sub("", given.decode(encoding))
    except UnicodeDecodeError:
        return "", "Save the file as CSV in UTF-8 and choose it again."
    if len(text.encode(errors="replace")) > MAX_BYTES:
        # It comes back out of a field of the form, in UTF-8.
        return "", too_large
    return text, "" if text.strip() else "Choose a file, or paste its rows."


def read(text: str, *, columns: Sequence[str], needed: Sequence[str]) -> Table:
    """The rows below the first line, which names `columns` in any order, each once, the `needed` ones among them."""
    bare = _UNWRITABLE.sub("", text.lstrip("\ufeff"))
    head = bare.split("\n", 1)[0]
    mark = max(",;\t", key=head.count)
    try:
        lines = list(csv.reader(io.StringIO(bare, newline=""), delimiter=mark, strict=True))
    except csv.Error:
        return Table(problem="This is not a CSV file. Save the table as CSV and choose that file.")
    names = [name.strip().lower().replace(" ", "_") for name in lines[0]] if lines else []
    missing = [name for name in needed if name not in names]
    if missing:
        return Table(problem=f"The first line must name the columns {', '.join(missing)}.")
    if not {*names} <= {*columns, *NEVER_READ} or len(set(names)) != len(names):
        return Table(problem=f"The first line may name these columns, each once: {', '.join(columns)}.")
    rows = tuple(
        (number, dict.fromkeys(columns, "") | _named(names, line))
        for number, line in enumerate(lines[1:], start=2)
        if any(value.strip() for value in line)
    )
    if not rows:
        return Table(problem="There is no row below the first line. Write one for each.")
    if len(rows) > MAX_ROWS:
        return Table(problem=f"There are more than {MAX_ROWS} rows. Divide the file.")
    return Table(rows=rows)


def _named(names: Sequence[str], line: Sequence[str]) -> dict[str, str]:
    found = zip(names, line, strict=False)
    return {name: plain(value) for name, value in found if name not in NEVER_READ}


def plain(value: str) -> str:
    """On one line; without the mark before what a spreadsheet would take for a formula."""
    line = " ".join(signs.bare(" ".join(value.split())).split())[:LONGEST]
    return line[1:] if line.startswith(("'=", "'+", "'-", "'@")) else line
