"""Lists as programs read them: `{"count", "next", "previous", "results"}`, `?page=&page_size=`, named filters."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from flask import request

from api.problems import Problem

PAGE_SIZE: Final = 50
MOST: Final = 200
LAST_PAGE: Final = 100_000


class Page(msgspec.Struct):
    """A part of a list. `next` and `previous` are addresses on this site, null at the ends."""

    count: int
    next: str | None
    previous: str | None
    results: list[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which part of a list, and what it is narrowed to."""

    page: int
    size: int
    filters: dict[str, str]

    @property
    def offset(self) -> int:
        """So many come before."""
        return (self.page - 1) * self.size

    def part(self, results: list[Any], *, count: int) -> Page:
        """The answer."""
        has_more = self.offset + len(results) < count
        return Page(
            count=count,
            next=self._address(self.page + 1) if has_more and results else None,
            previous=self._address(self.page - 1) if self.page > 1 else None,
            results=results,
        )

    def _address(self, page: int) -> str:
        return f"{request.path}?{urlencode({**self.filters, 'page': page, 'page_size': self.size})}"


def asked(filters: Collection[str] = ()) -> Asked:
    """What the address asks for. Raises Problem 400 for a parameter that is not known, twice there, or out of range."""
    known = ("page", "page_size", *filters)
    for name in request.args:
        if name not in known:
            raise Problem(
                400, f"Known parameters are {', '.join(known)}.", errors=[(f"?{name[:40]}", "unknown")]
            )
        if len(request.args.getlist(name)) > 1:
            raise Problem(400, f"Send {name} once.", errors=[(f"?{name}", "twice")])
    return Asked(
        page=_number("page", 1, most=LAST_PAGE),
        size=_number("page_size", PAGE_SIZE, most=MOST),
        filters={name: request.args[name].replace("\0", "") for name in filters if name in request.args},
    )


def uuid_of(asked: Asked, name: str) -> UUID | None:
    """A filter that is an id; raises Problem 400."""
    written = asked.filters.get(name)
    if written is None:
        return None
    try:
        return UUID(written)
    except ValueError:
        raise Problem(400, f"{name} is an id, a UUID.", errors=[(f"?{name}", "not a UUID")]) from None


def _number(name: str, usual: int, *, most: int) -> int:
    written = request.args.get(name)
    if written is None:
        return usual
    if not (written.isascii() and written.isdigit() and len(written) < 10 and 1 <= int(written) <= most):
        raise Problem(400, f"{name} is a number from 1 to {most}.", errors=[(f"?{name}", "out of range")])
    return int(written)
