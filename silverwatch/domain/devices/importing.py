"""Pure: a CSV file of devices, row by row: what can be added, and of every other row what to do about it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Final
from uuid import UUID

from silverwatch.domain import tables
from silverwatch.domain.devices import registry
from silverwatch.domain.devices.kinds import GATEWAY, KINDS, USUAL_INTERVAL_S
from silverwatch.domain.devices.registry import MAX_SERIAL, Setting

COLUMNS: Final = ("serial", "type", "ward", "location", "interval_s", "sensitivity", "sample_rate_hz")
NEEDED: Final = ("serial", "type")
STORE: Final = "store"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One row of the file, `number` as a spreadsheet counts it. `setting` is None where `problems` say why."""

    number: int
    written: Mapping[str, str]
    setting: Setting | None = None
    problems: tuple[str, ...] = ()

    @property
    def serial(self) -> str:
        """The serial number as it was written."""
        return self.written["serial"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What a file holds. `problem`: why none of it can be read."""

    lines: tuple[Line, ...] = ()
    problem: str = ""

    @property
    def good(self) -> tuple[Line, ...]:
        """Rows that can be added."""
        return tuple(line for line in self.lines if line.setting is not None)

    @property
    def settings(self) -> dict[str, Setting]:
        """Serial number to how it is to be set, of the rows that can be added."""
        return {line.serial: line.setting for line in self.lines if line.setting is not None}

    @property
    def bad(self) -> tuple[Line, ...]:
        """Rows that cannot."""
        return tuple(line for line in self.lines if line.setting is None)


@dataclass(slots=True)
class _Reader:
    wards: Mapping[str, UUID]
    known: Collection[str]
    site_gateways: bool
    first: dict[str, int] = field(default_factory=dict)

    def line(self, number: int, written: Mapping[str, str]) -> Line:
        problems = [*self._serial(number, written["serial"])]
        kind = written["type"].lower().replace(" ", "_").replace("-", "_")
        ward = written["ward"].casefold()
        if ward not in self.wards and ward not in ("", STORE):
            problems.append(f'There is no ward "{written["ward"]}" of yours. Write its name, or store.')
        elif kind == GATEWAY and ward not in self.wards and not self.site_gateways:
            problems.append(registry.SITE_GATEWAY)
        usual = USUAL_INTERVAL_S.get(kind, 0.0)
        interval, rate = _number(written["interval_s"], usual), _number(written["sample_rate_hz"], None)
        setting = Setting(
            kind=kind,
            ward_id=self.wards.get(ward),
            location=written["location"],
            interval_s=interval or 0,
            sensitivity=written["sensitivity"].lower() or "normal",
            sample_rate_hz=0 if written["sample_rate_hz"] and rate is None else rate,
        )
        found = registry.problems(setting)
        if "kind" in found:
            found["kind"] = f"Write one of these types: {', '.join(KINDS)}."
            found.pop("interval_s", None)
        problems += found.values()
        return Line(
            number=number, written=written, setting=None if problems else setting, problems=tuple(problems)
        )

    def _serial(self, number: int, serial: str) -> list[str]:
        if not 1 <= len(serial) <= MAX_SERIAL:
            return [f"Write a serial number of 1 to {MAX_SERIAL} characters."]
        before = self.first.setdefault(serial.lower(), number)
        if before != number:
            return [f"{serial} stands in row {before} already."]
        return [f"There is a device {serial} already."] if serial.lower() in self.known else []


def serials(text: str) -> list[str]:
    """The serial numbers of a file, to ask which of them there are."""
    return [row["serial"] for _, row in _table(text).rows]


def read(
    text: str, *, wards: Mapping[str, UUID], known: Collection[str], site_gateways: bool = False
) -> Sheet:
    """What can be added of a file. `wards`: case-folded names and slugs to ids; `known`: serial numbers that there are,
    in small letters; `site_gateways`: may the reader add a gateway of no ward?"""
    table = _table(text)
    reader = _Reader(wards, known, site_gateways)
    return Sheet(lines=tuple(reader.line(number, row) for number, row in table.rows), problem=table.problem)


def _table(text: str) -> tables.Table:
    return tables.read(text, columns=COLUMNS, needed=NEEDED)


def _number(written: str, usual: float | None) -> float | None:
    if not written:
        return usual
    try:
        found = float(written.replace(",", "."))
    except ValueError:
        return None
    return found if isfinite(found) else None
