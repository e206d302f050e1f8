"""Requests as views see them: text without control characters, which neither PostgreSQL nor HTML can hold."""

from functools import cached_property
from typing import Final

from flask import Request
from werkzeug.datastructures import ImmutableMultiDict, MultiDict

_DROPPED: Final = dict.fromkeys((*range(9), 11, 12, *range(14, 32), *range(127, 160), 0xFFFE, 0xFFFF))


SECRETS: Final = {"password", "current", "new"}
"""Fields that are hashed and neither stored nor shown: a password is taken as it was typed."""


def clean(text: str) -> str:
    """Without control characters; tabs and ends of lines stay."""
    return text.translate(_DROPPED)


def _cleaned(fields: MultiDict[str, str]) -> ImmutableMultiDict[str, str]:
    return ImmutableMultiDict(
        [
            (clean(name), value if name in SECRETS else clean(value))
            for name, value in fields.items(multi=True)
        ]
    )


class Incoming(Request):
    """Flask's request with clean `form` and `args`."""

    @cached_property
    def args(self) -> ImmutableMultiDict[str, str]:
        """The query."""
        return _cleaned(super().args)

    def _load_form_data(self) -> None:
        super()._load_form_data()
        self.__dict__["form"] = _cleaned(self.__dict__["form"])
