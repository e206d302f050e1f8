"""JSON without its traps: what Python's decoder lets through and what would harm later is refused here.

Refused are invalid UTF-8, NaN and Infinity, duplicate keys, nesting deeper than 16, lone surrogates and
U+0000 (PostgreSQL has no text with it). A number that fits no type is not refused: it comes out infinite, and
the plausible range of its vital refuses it alone.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, Final, NoReturn

MAX_DEPTH: Final = 16

_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_LEAF = re.compile(rb"\{\}|\[\]")
_NO_BRACKET = bytes(set(range(256)) - set(b"[]{}"))


class StrictJsonError(ValueError):
    """The text is not JSON as the contract wants it; the message says why."""


def decode(body: bytes) -> Any:
    """The value of a JSON text; raises StrictJsonError."""
    _check_depth(body)
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise StrictJsonError(f"not UTF-8 at byte {error.start}") from None
    value = _decode(text)
    if "\\u" in text:
        _check_strings(value)
    return value


def lines(body: bytes) -> Iterator[tuple[int, bytes]]:
    """(number from 1, text) of each line of NDJSON that is not blank."""
    for number, line in enumerate(body.split(b"\n"), start=1):
        if stripped := line.strip(b" \t\r"):
            yield number, stripped


def _decode(text: str) -> Any:
    try:
        return _DECODER.decode(text)
    except StrictJsonError:
        raise
    except json.JSONDecodeError as error:
        raise StrictJsonError(f"not JSON: {error.msg} at character {error.pos}") from None
    except ValueError:
        # Python turns no integer of more than 4300 digits into an int; as a float it is infinite.
        return _LONG_NUMBERS.decode(text)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise StrictJsonError(f"duplicate key {_shown(twice)}")
    return found


def _shown(key: str) -> str:
    return ascii(key if len(key) <= 60 else key[:60] + "...")


def _no_constant(name: str) -> NoReturn:
    raise StrictJsonError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant)
_LONG_NUMBERS = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant, parse_int=float)


def _check_depth(body: bytes) -> None:
    """Take the strings out, keep the brackets, and strip one level of leaves at a time."""
    outside = _STRING.sub(b"", body) if b"\\" in body else b"".join(body.split(b'"')[::2])
    brackets = outside.translate(None, _NO_BRACKET)
    for _ in range(MAX_DEPTH):
        if not brackets:
            return
        brackets = _LEAF.sub(b"", brackets)
    if brackets:
        raise StrictJsonError(f"nested deeper than {MAX_DEPTH} levels, or brackets that do not match")


def _check_strings(value: Any) -> None:
    if isinstance(value, str):
        if "\0" in value:
            raise StrictJsonError("U+0000 in a string")
        if any("\ud800" <= char <= "\udfff" for char in value):
            raise StrictJsonError("lone surrogate in a string")
    elif isinstance(value, list):
        for part in value:
            _check_strings(part)
    elif isinstance(value, dict):
        for key, part in value.items():
            _check_strings(key)
            _check_strings(part)
