"""Roles of duty and the shifts of a day. Pure: times in, times out."""

from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo


class DutyRole(StrEnum):
    """What somebody answers for during a shift; not the role of the account, which says what they may see."""

    NURSE = "nurse"
    CHARGE_NURSE = "charge_nurse"
    DOCTOR = "doctor"
    BACKUP = "backup"


PATTERNS: Final[dict[str, tuple[time, time]]] = {
    "early": (time(7), time(15)),
    "late": (time(15), time(22)),
    "night": (time(22), time(7)),
}
"""The shifts of a day, by the clock of the site. Three that meet without a gap: a usual day of a hospital ward."""

LONGEST: Final = timedelta(hours=16)
"""After so long nobody counts as on duty any more: they went home and forgot to say so. Two shifts of 8 h."""


def span(day: date, pattern: str, *, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """From when until when a shift of that day lasts; a night ends on the next morning."""
    begin, end = PATTERNS[pattern]
    last = day if end > begin else day + timedelta(days=1)
    utc = ZoneInfo("UTC")
    return (
        datetime.combine(day, begin, zone).astimezone(utc),
        datetime.combine(last, end, zone).astimezone(utc),
    )


def pattern_at(now: datetime, *, zone: ZoneInfo) -> tuple[date, str]:
    """The shift that runs now, and the day that it belongs to: a night belongs to the evening it began."""
    today = now.astimezone(zone).date()
    for day in (today, today - timedelta(days=1)):
        for pattern in PATTERNS:
            begin, end = span(day, pattern, zone=zone)
            if begin <= now < end:
                return day, pattern
    return today, next(iter(PATTERNS))  # an hour that the clocks skipped


def may_serve(usual: DutyRole, wanted: DutyRole) -> bool:
    """May somebody whose usual role this is take that duty? Nobody becomes a doctor by choosing it from a list."""
    if wanted is DutyRole.DOCTOR or usual is DutyRole.DOCTOR:
        return usual is DutyRole.DOCTOR and wanted in {DutyRole.DOCTOR, DutyRole.BACKUP}
    return True


def choices(usual: DutyRole) -> list[DutyRole]:
    """The duties that such a person may take, the usual one first."""
    return sorted((role for role in DutyRole if may_serve(usual, role)), key=lambda role: role is not usual)
