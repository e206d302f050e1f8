"""The form of a house rule: lines of conditions, joined by "and" and "or" as they are spoken."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, get_args

from werkzeug.datastructures import MultiDict

from silverwatch.domain.alerts.board import PRIORITIES, Priority
from silverwatch.domain.alerts.conditions import (
    ANY_PART,
    All,
    AnyOf,
    Condition,
    NoData,
    Operator,
    Points,
    Rise,
    Score,
    Slope,
    Value,
)
from silverwatch.domain.alerts.house_rule import MOST_LEAVES, Action, Rule, Schedule, problems
from silverwatch.domain.alerts.rule_words import OPERATORS, clock_words
from silverwatch.domain.language import marked
from silverwatch.domain.readings.news2 import PARTS
from silverwatch.domain.readings.vitals import BY_NAME

Sent = MultiDict[str, str]

NEWS: Final = {"news2": "NEWS2", "points": "NEWS2 part", "rise": "NEWS2 rise"}
TESTS: Final[Mapping[str, str]] = {
    **{str(name): words for name, words in OPERATORS.items()},
    "rises": marked("rises by"),
    "falls": marked("falls by"),
    "no_data": marked("has no value"),
    "news2": "NEWS2 of or above",
    "points": "NEWS2 points of or above",
    "rise": "NEWS2 risen by",
}
"""What a line says about its vital; the NEWS2 total and its rise are about none."""
SLOPE_MINUTES: Final = 15


@dataclass(slots=True)
class Line:
    """One condition as it was written."""

    joiner: str = "and"
    vital: str = "heart_rate"
    test: str = ">"
    number: str = ""
    minutes: str = ""
    back: str = ""


@dataclass(slots=True, kw_only=True)
class RuleForm:
    """The form as it was sent. `layer`: site, ward:<id> or patient:<id>.

    `instead_of`: the id of the rule in whose place it is to stand. `errors`: field to what to do about it."""

    name: str = ""
    layer: str = ""
    priority: str = "medium"
    action: str = "notify"
    hold_s: str = "60"
    start: str = ""
    end: str = ""
    enabled: bool = True
    reason: str = ""
    number: int = 0
    instead_of: str = ""
    lines: list[Line] = field(default_factory=lambda: [Line()])
    errors: dict[str, str] = field(default_factory=dict)


def read(sent: Sent) -> RuleForm:
    """What was written, as it was written; buttons add and take away lines."""
    count = min(len(sent.getlist("test")), MOST_LEAVES + 1)
    columns = {name: sent.getlist(name) for name in ("joiner", "vital", "test", "number", "minutes", "back")}
    lines = [
        Line(**{name: _clip(values[i]) if i < len(values) else "" for name, values in columns.items()})
        for i in range(count)
    ]
    form = RuleForm(
        name=" ".join(sent.get("name", "").replace("\0", "").split())[:100],
        layer=_clip(sent.get("layer", "")),
        priority=_clip(sent.get("priority", "")),
        action=_clip(sent.get("action", "")),
        hold_s=_clip(sent.get("hold_s", "")),
        start=_clip(sent.get("start", "")),
        end=_clip(sent.get("end", "")),
        enabled=sent.get("enabled") == "yes",
        reason=" ".join(sent.get("reason", "").replace("\0", "").split())[:201],
        number=int(sent["version"])
        if sent.get("version", "").isdecimal() and len(sent["version"]) < 9
        else 0,
        instead_of=_clip(sent.get("instead_of", "")),
        lines=lines or [Line()],
    )
    _press(form, sent.get("do", ""))
    return form


def _press(form: RuleForm, button: str) -> None:
    if button == "add" and len(form.lines) < MOST_LEAVES:
        form.lines.append(Line())
    place = button.removeprefix("remove-")
    if button.startswith("remove-") and place.isdecimal() and len(form.lines) > 1:
        form.lines = [line for i, line in enumerate(form.lines) if str(i) != place]


def _clip(written: str) -> str:
    return written.replace("\0", "").strip()[:60]


def rule_of(form: RuleForm) -> Rule | None:
    """The rule that is written there; None with `errors` where it is none."""
    leaves = [_leaf(form, i, line) for i, line in enumerate(form.lines)]
    hold_s = _number(form.hold_s)
    if hold_s is None:
        form.errors["hold_s"] = "Enter a duration in seconds, such as 60."
    if form.priority not in PRIORITIES:
        form.errors["priority"] = "Choose one of the three."
    if form.action not in get_args(Action):
        form.errors["action"] = "Choose one of the three."
    schedule = _schedule(form)
    if form.errors or hold_s is None:
        return None
    rule = Rule(
        name=form.name,
        condition=joined(
            [(line.joiner, leaf) for line, leaf in zip(form.lines, leaves, strict=True) if leaf]
        ),
        hold_s=hold_s,
        priority=_priority(form.priority),
        action=form.action,  # type: ignore[arg-type]
        schedule=schedule,
        enabled=form.enabled,
    )
    wrong = problems(rule)
    for name, words in wrong.items():
        form.errors[{"condition": "number-0", "schedule": "start"}.get(name, name)] = words
    return None if wrong else rule


def _priority(written: str) -> Priority:
    return next(priority for priority in PRIORITIES if priority == written)


def joined(leaves: Sequence[tuple[str, Condition]]) -> Condition:
    """A and B or C, as it is spoken: "and" binds closer."""
    groups: list[list[Condition]] = []
    for joiner, leaf in leaves:
        if groups and joiner != "or":
            groups[-1].append(leaf)
        else:
            groups.append([leaf])
    parts = [group[0] if len(group) == 1 else All(of=tuple(group)) for group in groups]
    return parts[0] if len(parts) == 1 else AnyOf(of=tuple(parts))


def written(rule: Rule, *, layer: str, number: int) -> RuleForm | None:
    """The form that writes this rule; None for one that is nested deeper than the form can say."""
    groups = rule.condition.of if isinstance(rule.condition, AnyOf) else (rule.condition,)
    lines: list[Line] = []
    for group in groups:
        leaves = group.of if isinstance(group, All) else (group,)
        for place, leaf in enumerate(leaves):
            if isinstance(leaf, All | AnyOf):
                return None
            lines.append(_line("or" if place == 0 and lines else "and", leaf))
    schedule = rule.schedule
    return RuleForm(
        name=rule.name,
        layer=layer,
        priority=rule.priority,
        action=rule.action,
        hold_s=f"{rule.hold_s:g}",
        start=clock_words(schedule.start) if schedule else "",
        end=clock_words(schedule.end) if schedule else "",
        enabled=rule.enabled,
        number=number,
        lines=lines,
    )


def _line(joiner: str, leaf: Condition) -> Line:
    if isinstance(leaf, Value):
        back = f"{leaf.hysteresis:g}" if leaf.hysteresis else ""
        return Line(joiner, leaf.vital, leaf.operator, f"{leaf.bound:g}", back=back)
    if isinstance(leaf, Slope):
        return Line(joiner, leaf.vital, leaf.direction, f"{leaf.by:g}", str(leaf.minutes))
    if isinstance(leaf, NoData):
        return Line(joiner, leaf.vital, "no_data", minutes=str(leaf.minutes))
    if isinstance(leaf, Points):
        return Line(joiner, leaf.part, "points", str(leaf.at_least))
    kind = "news2" if isinstance(leaf, Score) else "rise"
    return Line(joiner, test=kind, number=str(leaf.at_least) if isinstance(leaf, Score | Rise) else "")


def _leaf(form: RuleForm, i: int, line: Line) -> Condition | None:
    number, minutes, back = _number(line.number), _number(line.minutes), _number(line.back or "0")
    if line.test not in TESTS:
        form.errors[f"test-{i}"] = "Choose what is said about the vital."
    elif line.test == "no_data":
        if minutes is None:
            form.errors[f"minutes-{i}"] = "Enter after how many minutes without a value."
        else:
            return NoData(vital=line.vital, minutes=int(minutes))
    elif number is None:
        form.errors[f"number-{i}"] = "Enter a number, such as 24."
    elif back is None:
        form.errors[f"back-{i}"] = "Enter how far it must be back, such as 2, or nothing."
    elif line.test in OPERATORS:
        return _value(form, i, line, number=number, back=back)
    elif line.test in ("rises", "falls"):
        over = SLOPE_MINUTES if minutes is None else int(minutes)
        return Slope(
            vital=line.vital, direction="rises" if line.test == "rises" else "falls", by=number, minutes=over
        )
    elif line.test == "points":
        return Points(part=line.vital if line.vital in PARTS else ANY_PART, at_least=int(number))
    else:
        return Score(at_least=int(number)) if line.test == "news2" else Rise(at_least=int(number))
    return None


def _value(form: RuleForm, i: int, line: Line, *, number: float, back: float) -> Value | None:
    operator: Operator = next(name for name in OPERATORS if name == line.test)
    if line.vital not in BY_NAME:
        form.errors[f"vital-{i}"] = "Choose a vital."
        return None
    return Value(vital=line.vital, operator=operator, bound=number, hysteresis=back)


def _number(written: str) -> float | None:
    try:
        number = float(written.replace(",", "."))
    except ValueError:
        return None
    return number if abs(number) < 1e7 else None


def _schedule(form: RuleForm) -> Schedule | None:
    if not form.start and not form.end:
        return None
    minutes = [_minute(form.start), _minute(form.end)]
    if None in minutes:
        form.errors["start"] = "Enter both times as 21:00, or leave both empty for day and night."
        return None
    return Schedule(minutes[0] or 0, minutes[1] or 0)


def _minute(written: str) -> int | None:
    hours, colon, minutes = written.partition(":")
    if not (colon and hours.isdecimal() and minutes.isdecimal() and len(hours) <= 2 and len(minutes) == 2):
        return None
    return int(hours) * 60 + int(minutes) if int(hours) < 24 and int(minutes) < 60 else None
