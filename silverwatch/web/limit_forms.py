"""The form in which limits are set: what it says at first, and what somebody wrote into it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import isfinite
from typing import Any, Final

from werkzeug.datastructures import MultiDict

from silverwatch.domain.alerts.limit_cells import SIDE_OF, Key, Setting, settings_of
from silverwatch.domain.alerts.limit_proposal import MAX_REASON, Proposal
from silverwatch.domain.alerts.limit_views import VitalLimits
from silverwatch.domain.readings.vitals import BY_NAME

OF_PATIENT: Final = ("low_critical", "low", "high", "high_critical", "delay_s", "priority")
OF_HOUSE: Final = ("low_critical", "low", "high", "high_critical", "delay_s", "hysteresis", "priority")
LASTS_H: Final = (4, 8, 12, 24, 72, 168, 336)
"""For how many hours limits of a patient's own may be set; none of them: until discharge."""
LONGEST_NUMBER: Final = 8


@dataclass(slots=True, kw_only=True)
class LimitForm:
    """`written`: field to text; fields are named `<vital>-<cell>` and `<vital>-<side>-off`. `seen`: which version."""

    cells: Sequence[str]
    written: dict[str, str]
    reason: str = ""
    lasts: str = ""
    seen: int = 0
    errors: dict[str, str] = field(default_factory=dict)

    def until(self, now: datetime) -> datetime | None:
        """When what is set ends; None for no time."""
        return now + timedelta(hours=int(self.lasts)) if self.lasts else None


def name_of(key: Key) -> str:
    """The field of a cell."""
    return f"{key.vital}-{key.cell}"


def off_name(vital: str, side: str) -> str:
    """The field that switches a side off."""
    return f"{vital}-{side}-off"


def first(rows: Sequence[VitalLimits], cells: Sequence[str], *, number: int) -> LimitForm:
    """The form as it is opened: what applies now."""
    found = {Key(row.vital, name): row.cells[name].setting for row in rows for name in cells}
    return LimitForm(cells=cells, written=_texts(found), seen=number)


def fill(form: LimitForm, settings: Mapping[Key, Setting], *, vital: str | None = None) -> None:
    """Write these settings over what stands in the form, of one vital or of all."""
    wanted = {key: s for key, s in settings.items() if key.cell in form.cells and vital in (None, key.vital)}
    for key in wanted:
        if key.cell in SIDE_OF:
            form.written.pop(off_name(key.vital, SIDE_OF[key.cell]), None)
    form.written |= _texts(wanted)


def _texts(settings: Mapping[Key, Setting]) -> dict[str, str]:
    found = {}
    for key, setting in settings.items():
        if setting.off:
            found[off_name(key.vital, SIDE_OF[key.cell])] = "yes"
        value = setting.value
        found[name_of(key)] = f"{value:g}" if isinstance(value, float | int) else value or ""
    return found


def read(
    sent: MultiDict[str, str], proposal: Proposal, cells: Sequence[str]
) -> tuple[LimitForm, dict[Key, Setting]]:
    """What was sent, and the cells that the scope would set by it. What cannot be read is an error at its field."""
    form = LimitForm(
        cells=cells,
        written={name: text[:LONGEST_NUMBER] for name, text in sent.items() if "-" in name},
        reason=" ".join(sent.get("reason", "").replace("\0", "").split())[: MAX_REASON + 1],
        lasts=sent.get("lasts", "") if sent.get("lasts", "") in {str(hours) for hours in LASTS_H} else "",
        seen=whole(sent.get("seen", "")),
    )
    base, here = settings_of(proposal.base), settings_of(proposal.after)
    found = {key: setting for key, setting in proposal.wanted.items() if key.cell not in cells}
    for key, inherited in base.items():
        if key.cell in cells:
            setting = _setting(form, key, inherited=inherited, present=here[key])
            if setting is not None and setting != inherited:
                found[key] = setting
    return form, found


def _setting(form: LimitForm, key: Key, *, inherited: Setting, present: Setting) -> Setting | None:
    text = form.written.get(name_of(key), "").strip().replace(",", ".")
    if key.cell in SIDE_OF and form.written.get(off_name(key.vital, SIDE_OF[key.cell])) == "yes":
        # What never had a limit has none to be switched off.
        return Setting(None, off=True) if inherited.value is not None or inherited.off else Setting(None)
    if key.cell == "priority":
        if text not in {"high", "medium", "low"}:
            form.errors[name_of(key)] = "Choose high, medium or low."
        return Setting(text)
    if not text and key.cell in SIDE_OF:
        if inherited.value is not None or inherited.off or present.value is not None:
            return _missing(form, key, may_be_none=inherited.value is None and not inherited.off)
        return Setting(None)
    value = _number(text)
    if value is None:
        form.errors[name_of(key)] = _advice(key)
        return None
    return Setting(value)


def _missing(form: LimitForm, key: Key, *, may_be_none: bool) -> Setting | None:
    if may_be_none:
        return Setting(None)
    form.errors[name_of(key)] = "Enter a limit, or switch this side off."
    return None


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if isfinite(value) and round(value, 1) == value else None


def _advice(key: Key) -> str:
    if key.cell == "delay_s":
        return "Enter a number of seconds, such as 15."
    label = BY_NAME[key.vital].label
    return f"Enter a number for {label}, such as {'37.5' if BY_NAME[key.vital].precision else '90'}."


def whole(text: str) -> int:
    """A number of a version; 0 for whatever is none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < LONGEST_NUMBER else 0


def check(form: LimitForm, proposal: Proposal, *, now: datetime) -> None:
    """What the rules say of a form that could be read, at the fields where it is to be put right."""
    if form.errors:
        return
    _note_errors(form, proposal.errors(reason=form.reason, until=form.until(now), now=now))
    if not proposal.changed():
        form.errors = {"form": "Nothing would change. Enter another limit first."}


def _note_errors(form: LimitForm, problems: Mapping[Any, str]) -> None:
    for key, advice in problems.items():
        name = name_of(key) if isinstance(key, Key) else {"until": "lasts"}.get(key, key)
        if isinstance(key, Key):
            advice = f"{BY_NAME[key.vital].label}: {advice[0].lower()}{advice[1:]}"
        form.errors.setdefault(name, advice)
