"""Passwords: argon2id, at least 12 characters of any kind, none that everybody would try first.

What is refused (NIST SP 800-63B 3.1.1.2, OWASP ASVS 6.2): a password that stands in a list of breached and common
ones, however its letters are dressed up; one that contains its owner's address; one that says little more than
where it is used. There are no rules of composition, and nobody has to change a password because of its age.
"""

import re
import secrets
from functools import cache
from importlib.resources import files
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from silverwatch.domain.errors import DomainError

MIN_PASSWORD: Final = 12
MAX_PASSWORD: Final = 256
MOST_TAIL: Final = 8
"""So many digits and signs around a common word are still that word: Password2026!"""
LEAST_WORD: Final = 4
"""Shorter words and addresses stand in too many good passwords by chance."""

SITE_WORDS: Final = (
    "silver",
    "watch",
    "ward",
    "hospital",
    "monitor",
    "patient",
    "doctor",
    "nurse",
    "password",
)

TOO_COMMON: Final = (
    "This password is too common: it stands in lists that are tried first. Choose another one."
)

_LOOKALIKES: Final = (str.maketrans("@$0134578", "asoleastb"), str.maketrans("@$0134578", "asoieastb"))
_hasher: Final = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


def check_new(password: str, *, email: str = "", name: str = "") -> None:
    """Raises DomainError with what to do when this must not become the password of whoever has this e-mail, name."""
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise DomainError(f"Choose a password of {MIN_PASSWORD} to {MAX_PASSWORD} characters.")
    plain = password.casefold()
    local = email.partition("@")[0].casefold()
    if len(local) >= LEAST_WORD and local in plain:
        raise DomainError("Choose a password that does not contain your e-mail address.")
    if _is_common(plain):
        raise DomainError(TOO_COMMON)
    own = [word for word in re.split(r"\W+", name.casefold()) if len(word) >= LEAST_WORD]
    rest = plain
    for word in sorted({*SITE_WORDS, *own}, key=len, reverse=True):
        rest = rest.replace(word, "")
    if len(rest) * 2 < len(plain):
        raise DomainError("This password says little more than your name or this place. Choose other words.")


def hash_new(password: str, *, email: str = "", name: str = "") -> str:
    """The hash to keep; raises DomainError for a password that must not be chosen."""
    check_new(password, email=email, name=name)
    return _hasher.hash(_exact(password))


def fits(password_hash: str | None, password: str) -> bool:
    """Is this the password, every character of it? An account without one, or none at all, costs the same time."""
    if len(password) > MAX_PASSWORD:
        password_hash, password = None, password[:MAX_PASSWORD]
    try:
        return _hasher.verify(password_hash or _nobody(), _exact(password)) and bool(password_hash)
    except (Argon2Error, InvalidHashError):
        return False


def _exact(password: str) -> bytes:
    """As it was typed. Half of a pair of surrogates (possible in JSON) has no UTF-8, but is no reason to fail."""
    return password.encode("utf-8", "surrogatepass")


def _is_common(plain: str) -> bool:
    """Does it stand in the list: as it is, without spaces, repeated, or dressed up with digits and signs?"""
    joined = re.sub(r"\s+", "", plain)
    length = len(joined)
    if any(joined == (joined[:period] * length)[:length] for period in range(1, LEAST_WORD + 1)):
        return True
    forms = {plain, joined, joined[: (joined + joined).find(joined, 1)]}
    for text in tuple(forms):
        core = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", text)
        if len(core) >= LEAST_WORD and len(text) - len(core) <= MOST_TAIL:
            forms.add(core)
    forms.update([form.translate(table) for form in forms for table in _LOOKALIKES])
    return not forms.isdisjoint(_common())


@cache
def _common() -> frozenset[str]:
    text = (files(__package__) / "common_passwords.txt").read_text("utf-8")
    return frozenset(line for line in text.splitlines() if not line.startswith("# "))


@cache
def _nobody() -> str:
    return _hasher.hash(secrets.token_urlsafe(32))
