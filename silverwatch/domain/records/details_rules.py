"""Pure: what was written of who a patient is, and what is wrong with it: for pages, files and programs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from silverwatch.domain import signs

SEXES: Final = ("F", "M", "O", "U")
MOST_TEXT: Final = 100
MOST_ADDRESS: Final = 300
OLDEST_YEARS: Final = 130
TEXTS: Final = ("hospital_number", "family_name", "given_name", "title", "sex", "phone", "address")
NEEDED: Final = {
    "hospital_number": "Enter the hospital number.",
    "family_name": "Enter the family name.",
    "given_name": "Enter the given name.",
}
BORN: Final = "Enter the day of birth, such as 14-03-1948."
HIDDEN: Final = "There is a sign in it that nobody can see. Type it anew."
SEX: Final = "Choose one of these."


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """Who a patient is. `sex` is F, M, O or U."""

    hospital_number: str
    family_name: str
    given_name: str
    born_on: date
    sex: str
    title: str = ""
    phone: str = ""
    address: str = ""


def most_of(name: str) -> int:
    """So many characters a text may have."""
    return MOST_ADDRESS if name == "address" else MOST_TEXT


def check(
    written: Mapping[str, str], *, born_on: date | None, today: date
) -> tuple[Details | None, dict[str, str]]:
    """The details, or None with what is wrong by field. `written` has all `TEXTS`, each on one line."""
    errors = {name: words for name, words in NEEDED.items() if not written[name]}
    for name in TEXTS:
        if len(written[name]) > most_of(name):
            errors[name] = f"Say it in {most_of(name)} characters."
        elif not signs.is_bare(written[name]):
            errors[name] = HIDDEN
    if born_on is None or not today.year - OLDEST_YEARS <= born_on.year or born_on > today:
        errors["born_on"] = BORN
    if written["sex"] not in SEXES:
        errors["sex"] = SEX
    if errors or born_on is None:
        return None, errors
    return Details(**{name: written[name] for name in TEXTS}, born_on=born_on), {}
