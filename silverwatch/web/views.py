"""What the pages around the live regions show, as plain values."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

from silverwatch.domain.alerts.board import AlarmBar
from silverwatch.domain.notices.own import Unseen

Theme = Literal["day", "night", "auto"]
THEMES: tuple[Theme, ...] = ("day", "night", "auto")


@dataclass(frozen=True, slots=True, kw_only=True)
class NavItem:
    """One entry of the rail. `label` is English; the template translates it. `also`: paths that belong to it."""

    url: str
    label: str
    icon: str
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyLine:
    """A foreign record that is open to the reader now."""

    id: UUID
    patient_id: UUID
    hospital_number: str
    ends_at: datetime
    minutes_left: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedSet:
    """The set of observations that the reader has just saved; `url` is where it is undone, until then."""

    url: str
    measured_at: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What every page needs besides its data. `live_url` is the address of the page's web socket.

    `standing`: what stands above the pages of the staff; None for everybody else. `untaken`: the alarms of the reader's
    wards that nobody has taken; None for those who take none.
    `unseen`: how many notices on screen they have not seen.
    `has_own_bar`: the page shows them itself. `now`: of which moment it is.
    `idle_minutes`: so long without a hand, and the session of staff locks; None for those that do not.
    """

    title: str
    path: str
    csrf_token: str
    actor_name: str | None = None
    actor_initials: str = ""
    actor_photo: str | None = None
    nav: tuple[NavItem, ...] = ()
    theme: Theme = "auto"
    live_url: str | None = None
    locked: bool = False
    idle_minutes: int | None = None
    has_pin: bool = False
    emergency: tuple[EmergencyLine, ...] = ()
    standing: AlarmBar | None = None
    untaken: AlarmBar | None = None
    unseen: Unseen | None = None
    has_own_bar: bool = False
    saved: SavedSet | None = None
    now: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """The sign-in form as it was sent. `errors` maps a field (or "form") to what to do about it.

    `note` says what was done just before.
    """

    email: str = ""
    next: str = ""
    note: str = ""
    errors: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorView:
    """An error page: what happened, what to do, and where home is."""

    status: int
    heading: str
    advice: str
    home_url: str = "/"


@dataclass(frozen=True, slots=True, kw_only=True)
class WardCard:
    """One ward of the administrator's list."""

    slug: str
    name: str
    description: str
    beds: int
    patients: int
    high: int = 0
    medium: int = 0
    technical: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemLine:
    """One part of the system and how it does. `detail` says it in words: "last judged 2 s ago"."""

    name: str
    state: Literal["ok", "late", "down"]
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainReading:
    """A patient's own latest value of one vital. `second` is the diastolic pressure.

    `vital` is a name of `vitals.BY_NAME`, or `blood_pressure`.
    """

    vital: str
    value: float
    at: datetime
    second: float | None = None


STAFF_NAV: dict[str, tuple[NavItem, ...]] = {
    "caregiver": (
        NavItem(url="/ward", label="Ward", icon="layout-grid"),
        NavItem(url="/alerts", label="Alarms", icon="bell"),
        NavItem(url="/notices", label="Notices", icon="mail"),
        NavItem(
            url="/shift", label="Shift", icon="heartbeat", also=("/rounds", "/tasks/", "/wards", "/handover")
        ),
        NavItem(url="/patients", label="Patients", icon="users"),
        NavItem(url="/duty", label="Duty", icon="calendar"),
        NavItem(url="/incidents", label="Incidents", icon="report-medical"),
        NavItem(url="/emergency-access", label="Emergency", icon="urgent"),
    ),
    "admin": (
        NavItem(url="/admin", label="Overview", icon="server"),
        NavItem(url="/ward", label="Ward", icon="layout-grid"),
        NavItem(url="/wards", label="All wards", icon="bed"),
        NavItem(url="/devices", label="Devices", icon="devices"),
        NavItem(url="/admin/users", label="Users", icon="users"),
        NavItem(url="/admin/audit", label="Audit", icon="history", also=("/admin/emergencies",)),
        NavItem(
            url="/admin/settings",
            label="Settings",
            icon="settings",
            also=(
                "/alerts/rules",
                "/admin/access",
                "/admin/wards",
                "/admin/places",
                "/admin/chains",
                "/admin/displays",
                "/admin/drills",
                "/admin/duty",
                "/admin/keys",
            ),
        ),
    ),
    "technician": (
        NavItem(url="/devices", label="Devices", icon="devices"),
        NavItem(url="/faults", label="Faults", icon="bell"),
        NavItem(url="/checks", label="Checks", icon="tool"),
        NavItem(url="/ingest", label="Ingest", icon="activity", also=("/quarantine",)),
    ),
    "patient": (NavItem(url="/portal", label="Home", icon="home"),),
    "display": (),
}
"""The rail of each role: only pages that exist."""
