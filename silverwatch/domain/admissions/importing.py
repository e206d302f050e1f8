"""Pure: a CSV file of patients, row by row: who is new, who is there already or may be, and what is wrong.

First `read` understands what each row says by itself; then `compare` sets it beside who is registered. Nothing that
stands is ever changed by a file: what differs is shown.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final, Literal
from uuid import UUID

from silverwatch.domain import tables
from silverwatch.domain.admissions.moving import Target
from silverwatch.domain.records import details, details_rules, entries
from silverwatch.domain.records.details import Alike, Same
from silverwatch.domain.records.details_rules import Details

COLUMNS: Final = (
    "hospital_number", "family_name", "given_name", "born_on", "sex", "title", "phone", "address", "ward", "bed",
    "allergies", "flags",
)  # fmt: skip
NEEDED: Final = COLUMNS[:5]
HOME: Final = "home"
NONE: Final = "none"
BORN: Final = "Write the day of birth as 1948-03-14 or 14.03.1948."
_SEXES: Final = {"female": "F", "male": "M", "other": "O", "unknown": "U"}
_DAY_FIRST: Final = re.compile(r"(\d{1,2})([.-])(\d{1,2})\2(\d{4})")

State = Literal["new", "alike", "known", "wrong"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Who has the hospital number of a row already. `stands` is None where the record is not the actor's to see."""

    id: UUID
    stands: Details | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One row of the file, `number` as a spreadsheet counts it. `details` is None where `problems` say why.

    `no_allergies`: somebody asked, and there are none. `differs`: field to what stands and what the file says.
    `sure`: somebody has looked at `alike` and says that it is another person.
    """

    number: int
    written: Mapping[str, str]
    details: Details | None
    to: Target | None = None
    allergies: tuple[str, ...] = ()
    no_allergies: bool = False
    flags: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    known: Known | None = None
    differs: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    alike: tuple[Alike, ...] = ()
    alike_row: int | None = None
    sure: bool = False

    @property
    def state(self) -> State:
        """What is to become of it."""
        if self.details is None:
            return "wrong"
        if self.known is not None:
            return "known"
        if self.problems:
            return "wrong"
        return "alike" if self.alike or self.alike_row else "new"

    @property
    def is_taken(self) -> bool:
        """Will the patient be registered?"""
        return self.state == "new" or (self.state == "alike" and self.sure)

    @property
    def is_left(self) -> bool:
        """Does somebody have to do something about it? Not about who is there just as the file says."""
        is_the_same = self.known is not None and self.known.stands is not None and not self.differs
        return not self.is_taken and not is_the_same

    @property
    def why(self) -> str:
        """Why it is not taken, on one line."""
        if self.state == "known":
            return " ".join(
                ["Registered already.", *(f"Different: {name}." for name in sorted(self.differs))]
            )
        if self.state == "alike":
            return "May be somebody who is registered already: " + ", ".join(
                [item.hospital_number for item in self.alike]
                or [f"the same name and birthday as row {self.alike_row}"]
            )
        return " ".join(self.problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What a file holds. `problem`: why none of it can be read."""

    lines: tuple[Line, ...] = ()
    problem: str = ""

    def of(self, *states: State) -> tuple[Line, ...]:
        """The rows of these states, in their order."""
        return tuple(line for line in self.lines if line.state in states)

    @property
    def taken(self) -> tuple[Line, ...]:
        """Who will be registered."""
        return tuple(line for line in self.lines if line.is_taken)

    @property
    def left(self) -> tuple[Line, ...]:
        """About whom somebody has to do something."""
        return tuple(line for line in self.lines if line.is_left)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wards:
    """Where the file may send patients: case-folded names to ids, and of each ward its free beds by label."""

    ids: Mapping[str, UUID]
    free: Mapping[tuple[UUID, str], UUID]


def read(text: str, *, wards: Wards, today: date) -> Sheet:
    """What each row says by itself."""
    table = tables.read(text, columns=COLUMNS, needed=NEEDED)
    return Sheet(
        lines=tuple(_line(number, row, wards, today) for number, row in table.rows), problem=table.problem
    )


def _line(number: int, written: Mapping[str, str], wards: Wards, today: date) -> Line:
    sex = written["sex"]
    texts = {**written, "sex": _SEXES.get(sex.lower(), sex.upper())}
    found, errors = details_rules.check(texts, born_on=day_of(written["born_on"]), today=today)
    if "born_on" in errors:
        errors["born_on"] = BORN
    if "sex" in errors:
        errors["sex"] = f"Write the sex as one of these: {', '.join(details_rules.SEXES)}."
    for name in details_rules.TEXTS:
        if name in errors and written[name] and name != "sex":
            errors[name] = f"{name}: write at most {details_rules.most_of(name)} characters."
    allergies, flags = _parts(written["allergies"]), _parts(written["flags"].lower().replace(" ", "_"))
    asked = [item.lower() for item in allergies] == [NONE]
    if any(len(item) > entries.MOST_TEXT for item in allergies):
        errors["allergies"] = f"Write each allergy in {entries.MOST_TEXT} characters."
    elif not asked and NONE in [item.lower() for item in allergies]:
        errors["allergies"] = "Write the allergies, or none."
    if not set(flags) <= set(entries.FLAGS):
        errors["flags"] = f"Write flags out of these, with | between them: {', '.join(entries.FLAGS)}."
    to, problem = _place(written["ward"], written["bed"], wards)
    return Line(
        number=number, written=written, details=found, to=to, allergies=() if asked else allergies,
        no_allergies=asked, flags=flags, problems=(*errors.values(), *([problem] if problem else [])),
    )  # fmt: skip


def _parts(written: str) -> tuple[str, ...]:
    """What stands between | or ;, each once. A comma may be a part of an allergy."""
    parts = [part.strip().strip("_") for part in re.split(r"[|;]", written)]
    return tuple(dict.fromkeys(part for part in parts if part))


def _place(ward: str, bed: str, wards: Wards) -> tuple[Target | None, str]:
    if not ward and not bed:
        return None, ""
    if not ward or not bed:
        return None, "Write both ward and bed, or neither. A place at home is the bed home."
    ward_id = wards.ids.get(ward.casefold())
    if ward_id is None:
        return None, f'There is no ward "{ward}" of yours.'
    if bed.casefold() == HOME:
        return Target(ward_id=ward_id), ""
    bed_id = wards.free.get((ward_id, bed.casefold()))
    if bed_id is None:
        return None, f'There is no free bed "{bed}" in {ward}. Choose another one, or leave both empty.'
    return Target(ward_id=ward_id, bed_id=bed_id), ""


def day_of(written: str) -> date | None:
    """A day as 1948-03-14 or 14.03.1948. Not with slashes: nobody can tell there which is the month."""
    match = _DAY_FIRST.fullmatch(written)
    try:
        if match:
            return date(int(match[4]), int(match[3]), int(match[1]))
        return date.fromisoformat(written)
    except ValueError:
        return None


def compare(
    sheet: Sheet, *, known: Mapping[str, Known], alike: Mapping[Same, Sequence[Alike]], sure: Collection[int]
) -> Sheet:
    """The rows beside who is registered, and beside each other. `known`: by number in capitals; `sure`: rows."""
    numbers: dict[str, int] = {}
    persons: dict[Same, int] = {}
    beds: dict[UUID, int] = {}
    found = []
    for line in sheet.lines:
        key = line.written["hospital_number"].upper()
        first = numbers.setdefault(key, line.number) if key else line.number
        if first != line.number:
            found.append(_wrong(line, f"{line.written['hospital_number']} stands in row {first} already."))
            continue
        line = replace(line, known=known.get(key), sure=line.number in sure)
        if line.known is not None or line.details is None:
            found.append(replace(line, differs=_differs(line)))
            continue
        person = details.same(line.details)
        first = persons.setdefault(person, line.number)
        line = replace(
            line, alike=tuple(alike.get(person, ())), alike_row=first if first != line.number else None
        )
        if line.to is not None and line.to.bed_id is not None and not line.problems:
            first = beds.setdefault(line.to.bed_id, line.number)
            if first != line.number:
                line = _wrong(line, f"Row {first} has this bed already.")
        found.append(line)
    return replace(sheet, lines=tuple(found))


def _wrong(line: Line, problem: str) -> Line:
    return replace(line, problems=(*line.problems, problem))


def _differs(line: Line) -> Mapping[str, tuple[str, str]]:
    """What the file says otherwise; an empty cell says nothing."""
    if line.known is None or line.known.stands is None or line.details is None:
        return {}
    says = {name: str(getattr(line.details, name)) for name in (*details_rules.TEXTS, "born_on")}
    stands = {name: str(getattr(line.known.stands, name)) for name in says}
    return {name: (stands[name], said) for name, said in says.items() if said and said != stands[name]}
