"""What goes into the audit as plain JSON that PostgreSQL gives back byte by byte the way it was sealed.

JSONB knows no NaN, no NUL and no negative zero, and writes 1e22 as an integer: a number with a fraction is kept as
text. Control characters would play tricks on whoever reads the audit in a terminal.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

LONGEST_TEXT: Final = 1000
MOST_ITEMS: Final = 200
DEEPEST: Final = 5
LARGEST: Final = 10**300

_CONTROLS: Final = dict.fromkeys((*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029), " ")


def text(value: str) -> str:
    """Without control characters and half characters, and not longer than anybody reads."""
    return value[:LONGEST_TEXT].translate(_CONTROLS).encode("utf-8", "replace").decode("utf-8")


def plain(value: Any, *, depth: int = 0) -> Any:
    """A value as null, true, false, an integer, text, a list or an object of such."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value) if abs(value) < LARGEST else "a number too large"
    if depth > DEEPEST:
        return "…"
    if isinstance(value, Mapping):
        items = list(value.items())[:MOST_ITEMS]
        return {text(str(key)): plain(item, depth=depth + 1) for key, item in items}
    if isinstance(value, set | frozenset):
        value = sorted(value, key=str)
    if isinstance(value, list | tuple):
        return [plain(item, depth=depth + 1) for item in value[:MOST_ITEMS]]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return text(str(value))
