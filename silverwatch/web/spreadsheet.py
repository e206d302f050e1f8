"""Rows as a CSV file, and back: what a spreadsheet takes for a formula is made a text."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Final

from flask import Response, make_response

DANGEROUS: Final = ("=", "+", "-", "@", "\t", "\r")
"""With these a spreadsheet begins a formula."""


def cell(value: object) -> str:
    """A value as text that no spreadsheet takes for a formula."""
    if isinstance(value, int | float):
        # A number is no formula, and is to be reckoned with; zero has no sign.
        return str(value or abs(value))
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(DANGEROUS) else text


def lines(rows: Iterable[Sequence[object]]) -> str:
    """The rows as lines of a file."""
    written = io.StringIO()
    csv.writer(written, lineterminator="\r\n").writerows([[cell(value) for value in row] for row in rows])
    return written.getvalue()


def file(name: str, rows: Iterable[Sequence[object]]) -> Response:
    """The rows as a file to keep."""
    answer = make_response(lines(rows))
    answer.headers["Content-Type"] = "text/csv; charset=utf-8"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
