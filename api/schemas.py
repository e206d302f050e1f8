"""What is sent and answered. Of a post of readings only the envelope: the items are the domain's to judge."""

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec

from api import strict_json
from api.problems import Problem
from silverwatch.domain.readings import vitals
from silverwatch.domain.readings.accept import moment
from silverwatch.domain.readings.intake import Batch

MAX_READINGS: Final = 5_000

_ABOUT: Final = ("device", "sent_at", "battery", "signal_dbm", "firmware")
_ENVELOPE: Final = frozenset({*_ABOUT, "readings", "events"})
_READING: Final = frozenset({*vitals.NAMES, "measured_at"})


class Post:
    """A decoded post, and how to point into it."""

    def __init__(self, batch: Batch, pointer: Callable[[str, int], str]) -> None:
        self.batch = batch
        self.pointer = pointer


class _Raw(msgspec.Struct):
    readings: list[msgspec.Raw] = []
    events: list[msgspec.Raw] = []


def parse(body: bytes) -> Post:
    """A post of `application/json`: an envelope or a bare reading. Raises Problem 400 or 413."""
    try:
        sent = strict_json.decode(body)
    except strict_json.StrictJsonError as error:
        raise Problem(400, str(error)) from None
    if type(sent) is not dict:
        raise Problem(400, "An object is expected.", errors=[("", "not an object")])
    if "readings" not in sent and "events" not in sent:
        return _bare(sent, body)
    for name in sent:
        if name not in _ENVELOPE:
            raise _bad(name, "not a field of a post")
    batch = _about(sent)
    batch.items, batch.events = _items(sent, "readings"), _items(sent, "events")
    batch.raw = _words(body, {"readings": batch.items, "events": batch.events})
    return Post(batch, lambda place, index: f"/{place}/{index}")


def parse_lines(body: bytes) -> Post:
    """A post of `application/x-ndjson`: a reading a line. Raises Problem 400 naming the line, or 413."""
    words = list(strict_json.lines(body))
    if len(words) > MAX_READINGS:
        raise _too_many()
    items = []
    for number, line in words:
        try:
            items.append(strict_json.decode(line))
        except strict_json.StrictJsonError as error:
            raise Problem(400, f"line {number}: {error}", errors=[(f"/{number - 1}", str(error))]) from None
    batch = Batch(items=items, raw=lambda _, index: words[index][1].decode())
    return Post(batch, lambda _, index: f"/{index}")


def _bare(sent: dict[str, Any], body: bytes) -> Post:
    if _READING.isdisjoint(sent):
        raise Problem(400, "Readings, events or a bare reading are expected.", errors=[("", "no readings")])
    batch = _about(sent)
    batch.items = [{name: value for name, value in sent.items() if name not in _ABOUT}]
    batch.raw = lambda _place, _index: body.decode()
    return Post(batch, lambda _place, _index: "")


def _about(sent: dict[str, Any]) -> Batch:
    return Batch(
        device=_text(sent, "device"),
        sent_at=_moment(sent, "sent_at"),
        battery=_gauge(sent, "battery", low=0, high=100),
        signal_dbm=_gauge(sent, "signal_dbm", low=-200, high=50),
        firmware=_text(sent, "firmware"),
    )


def _items(sent: dict[str, Any], name: str) -> Sequence[Any]:
    items = sent.get(name, [])
    if type(items) is not list:
        raise _bad(name, "a list")
    if len(items) > MAX_READINGS:
        raise _too_many()
    return items


def _text(sent: dict[str, Any], name: str) -> str | None:
    value = sent.get(name)
    if value is None:
        return None
    if type(value) is not str or len(value) > 200:
        raise _bad(name, "a text of at most 200 characters")
    return value


def _moment(sent: dict[str, Any], name: str) -> datetime | None:
    if sent.get(name) is None:
        return None
    try:
        return moment(sent[name])
    except ValueError as error:
        raise _bad(name, str(error)) from None


def _gauge(sent: dict[str, Any], name: str, *, low: int, high: int) -> int | None:
    """A number that is nonsense is as good as none: a broken gauge must not cost the readings."""
    value = sent.get(name)
    if value is None:
        return None
    if type(value) is not int and type(value) is not float:
        raise _bad(name, "a number")
    return int(value) if low <= value <= high else None


def _words(body: bytes, decoded: dict[str, Sequence[Any]]) -> Callable[[str, int], str]:
    """The words of each item as they were sent; cut out of the body only if somebody asks."""
    found: list[_Raw] = []

    def raw(place: str, index: int) -> str:
        if not found:
            try:
                found.append(msgspec.json.decode(body, type=_Raw))
            except msgspec.MsgspecError:
                found.append(_Raw())
        items = getattr(found[0], place)
        if index < len(items):
            return bytes(items[index]).decode()
        return json.dumps(decoded[place][index], ensure_ascii=False)

    return raw


def _bad(name: str, detail: str) -> Problem:
    pointer = "/" + name.replace("~", "~0").replace("/", "~1")
    return Problem(400, "The post itself is not understood.", errors=[(pointer, detail)])


def _too_many() -> Problem:
    return Problem(413, f"At most {MAX_READINGS} readings in a post.")


class Registration(msgspec.Struct):
    """What a person says who wants a patient's account. Whatever else is sent, a role above all, is nothing."""

    email: Annotated[str, msgspec.Meta(max_length=254)]
    password: Annotated[str, msgspec.Meta(max_length=1024)]
    name: Annotated[str, msgspec.Meta(max_length=200)]


class Registered(msgspec.Struct):
    """Said to everybody who registers, whether the address is known or not."""

    detail: str = "Open the link in the letter that was sent to this address."


class Credentials(msgspec.Struct, forbid_unknown_fields=True):
    """A sign-in. `otp` is a code of the second factor, or a recovery code."""

    email: Annotated[str, msgspec.Meta(max_length=254)]
    password: Annotated[str, msgspec.Meta(max_length=1024)]
    otp: Annotated[str, msgspec.Meta(max_length=40)] | None = None


class Refresh(msgspec.Struct, forbid_unknown_fields=True):
    """A refresh token to be used up."""

    refresh: Annotated[str, msgspec.Meta(max_length=200)]


class Tokens(msgspec.Struct):
    """`access` is good for `expires_in` seconds; `refresh` once."""

    access: str
    expires_in: int
    refresh: str
    token_type: str = "Bearer"


class WardName(msgspec.Struct):
    """A ward, by its name in addresses and in words."""

    slug: str
    name: str


class Me(msgspec.Struct):
    """The person who calls."""

    id: UUID
    email: str
    name: str
    role: str
    wards: list[WardName]
    patient: UUID | None


class Key(msgspec.Struct):
    """The program that calls."""

    key: str
    scopes: list[str]
    wards: list[WardName]
    expires_at: datetime
