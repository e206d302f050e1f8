"""POST readings: the hot path. Answered only after the commit; told only after the answer."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Final

import msgspec
from flask import Response, request
from werkzeug.exceptions import RequestEntityTooLarge

from api import bp, keys, schemas
from api.lane import Lane, is_long
from api.problems import Problem, unavailable
from api.rate import Buckets
from api.together import Together
from silverwatch import clock, db
from silverwatch.domain.devices.queries import ForeignDeviceError
from silverwatch.domain.readings.intake import Outcome
from silverwatch.domain.readings.plain import KeyedPost, store_plain
from silverwatch.domain.readings.quarantine import pointer
from silverwatch.domain.readings.service import (
    RacedError,
    UnpreparedError,
    racing,
    store_readings,
)
from silverwatch.domain.readings.store import open_post
from silverwatch.web import gates

MAX_BODY: Final = 1024 * 1024
_PARSERS: Final = {"application/json": schemas.parse, "application/x-ndjson": schemas.parse_lines}

buckets = Buckets()
lane = Lane()


def _tell_nobody() -> None:
    pass


on_stored: Callable[[], None] = _tell_nobody
"""Called when readings were stored and the answer is out; `create_app` sets it."""


class _RefusedError(Exception):
    """This key opens nothing, or not this: what is answered, and why, for the audit."""

    def __init__(self, because: str, problem: Problem) -> None:
        super().__init__(because)
        self.because = because
        self.problem = problem


@bp.post("/api/readings/")
@gates.machine_key
def post_readings() -> Response:
    """Store a post of readings and events: 200, or 422 if every item was refused."""
    key_hash = keys.presented()
    buckets.take(key_hash)
    parse = _parser()
    body = _body()
    try:
        with lane.turn(body):
            post, outcome = _store(key_hash, body, parse)
    except _RefusedError as refused:
        # After the connection of the post was given back: the audit takes one of its own.
        keys.note(refused.because, sender=key_hash.hex())
        raise refused.problem from None
    response = _answer(post, outcome)
    if outcome.stored:
        # Looked up then: the hook is set after this module is imported.
        response.call_on_close(lambda: on_stored())
    return response


def _parser() -> Callable[[bytes], schemas.Post]:
    parse = _PARSERS.get(request.mimetype)
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if parse is None or charset not in {"utf-8", "utf8"} or "Content-Encoding" in request.headers:
        raise Problem(415, "Send application/json or application/x-ndjson, UTF-8, without encoding.")
    return parse


def _body() -> bytes:
    request.max_content_length = MAX_BODY
    try:
        return request.get_data(cache=False)
    except RequestEntityTooLarge:
        raise Problem(413, f"At most {MAX_BODY} bytes in a post.") from None
    except OSError:
        raise Problem(400, "The body ended too early.") from None


def _store(
    key_hash: bytes, body: bytes, parse: Callable[[bytes], schemas.Post]
) -> tuple[schemas.Post, Outcome]:
    """A plain post with all that came at once; what is more, or is raced with, by itself and with locks."""
    read = cache(lambda: parse(body))
    # What a device has kept for long is long work: nobody else's post stands behind it.
    outcome = None if is_long(body) else _plain.do(KeyedPost(key_hash, lambda: read().batch))
    if outcome is not None:
        return read(), outcome
    careful = False
    for _ in range(3):
        try:
            outcome = _store_locked(key_hash, read, careful=careful)
            return read(), outcome
        except RacedError:
            careful = True
        except UnpreparedError as error:
            raise unavailable("There is no room prepared for readings.") from error
        except ForeignDeviceError as error:
            raise _RefusedError(f"device key: {error}", Problem(403, str(error))) from None
    raise unavailable("The same readings are being stored by another request. Send again.")


@db.retried
def _store_plain(posts: Sequence[KeyedPost]) -> list[Outcome | None]:
    try:
        with racing(), db.alone() as cur:
            return store_plain(cur, posts, received_at=clock.now())
    except (RacedError, UnpreparedError):
        return [None] * len(posts)


_plain: Together[KeyedPost, Outcome | None] = Together(_store_plain)


@db.retried
def _store_locked(key_hash: bytes, read: Callable[[], schemas.Post], *, careful: bool) -> Outcome:
    """One transaction. Nothing of a stranger's body is read, nor waited for while a row is locked."""
    with racing(), db.cursor() as cur:
        opened = open_post(cur, key_hash, now=clock.now())
        if opened is None:
            raise _RefusedError(keys.UNKNOWN, keys.unauthorized())
        speaker, present = opened
        if speaker.is_gateway:
            buckets.is_gateway(key_hash)
        return store_readings(
            cur, speaker, present=present, batch=read().batch, received_at=clock.now(), careful=careful
        )


def _answer(post: schemas.Post, outcome: Outcome) -> Response:
    rejected = [
        {
            "index": item.index,
            "code": item.refusal.code,
            "pointer": post.pointer(item.place, item.index) + pointer(item.refusal.field),
            "detail": item.refusal.detail,
        }
        for item in outcome.rejected
    ]
    body = {"stored": outcome.stored, "duplicates": outcome.duplicates, "rejected": rejected}
    return Response(
        msgspec.json.encode(body),
        status=422 if outcome.is_refusal else 200,
        content_type="application/json",
    )
