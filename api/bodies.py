"""The JSON body of a request as a value of a declared type, and such a value as an answer."""

import re
from typing import Final, TypeVar

import msgspec
from flask import Response, request
from werkzeug.exceptions import RequestEntityTooLarge

from api import strict_json
from api.problems import Problem

MAX_BODY: Final = 64 * 1024

Body = TypeVar("Body", bound=msgspec.Struct)

_PLACE: Final = re.compile(r" - at `\$\.?([^`]*)`$")


def read(kind: type[Body]) -> Body:
    """The body; raises Problem 400, 413, 415, or 422 with a pointer to what does not fit."""
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    is_plain = charset in {"utf-8", "utf8"} and "Content-Encoding" not in request.headers
    if request.mimetype != "application/json" or not is_plain:
        raise Problem(415, "Send application/json, UTF-8, without encoding.")
    try:
        sent = strict_json.decode(_bytes())
    except strict_json.StrictJsonError as error:
        raise Problem(400, str(error)) from None
    try:
        return msgspec.convert(sent, kind)
    except msgspec.ValidationError as error:
        raise _unfit(str(error)) from None


def answer(value: msgspec.Struct, status: int = 200) -> Response:
    """The value as JSON; a time in UTC ends in Z."""
    return Response(msgspec.json.encode(value), status=status, content_type="application/json")


def _bytes() -> bytes:
    request.max_content_length = MAX_BODY
    try:
        return request.get_data(cache=False)
    except RequestEntityTooLarge:
        raise Problem(413, f"At most {MAX_BODY} bytes in a body.") from None
    except OSError:
        raise Problem(400, "The body ended too early.") from None


def _unfit(message: str) -> Problem:
    """What msgspec says, with its place as a JSON pointer; it names fields and types, never values."""
    place = _PLACE.search(message)
    pointer = "/" + place[1].replace(".", "/") if place else ""
    return Problem(422, "The body does not fit.", errors=[(pointer, _PLACE.sub("", message))])
