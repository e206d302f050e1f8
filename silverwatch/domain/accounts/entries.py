"""What people type about themselves: names and e-mail addresses, checked once and for every interface alike."""

import re
import unicodedata
from typing import Final

from silverwatch.domain.errors import DomainError

MAX_NAME: Final = 120
MAX_EMAIL: Final = 254
MAX_LOCAL: Final = 64

# What browsers accept in a field of type email, with a dot in the domain; ASCII, because letters go there.
_LOCAL: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+")
_DOMAIN: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_JOINERS: Final = "\u200c\u200d"
"""Invisible, but part of names in Persian and in the scripts of India."""


def name_of(text: str, *, most: int = MAX_NAME) -> str:
    """A name as it is kept; raises DomainError."""
    name = text[: most * 4].strip(" ")
    if not name:
        raise DomainError("Enter the name.")
    if len(name) > most:
        raise DomainError(f"Enter a name of at most {most} characters.")
    if any(unicodedata.category(sign).startswith("C") and sign not in _JOINERS for sign in name):
        raise DomainError("Leave control characters out of the name.")
    return name


def email_of(text: str) -> str:
    """An e-mail address as it is kept: in lower case; raises DomainError."""
    email = text[: MAX_EMAIL * 4].strip(" ").lower()
    if not email:
        raise DomainError("Enter the e-mail address.")
    if len(email) > MAX_EMAIL:
        raise DomainError(f"Enter an e-mail address of at most {MAX_EMAIL} characters.")
    local, _, domain = email.partition("@")
    labels = domain.split(".")
    if (
        len(local) > MAX_LOCAL
        or not _LOCAL.fullmatch(local)
        or len(labels) < 2
        or not all(_DOMAIN.fullmatch(label) for label in labels)
    ):
        raise DomainError("Enter an e-mail address such as name@example.org.")
    return email
