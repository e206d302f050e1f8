"""What is assessed about a patient, as data: questions with choices, and what the answers come to. Pure.

The house's own lists have no score: their result names the answers that ask for something to be done. Points are
added up only for an instrument that publishes how. A changed list gets a new `version`; older ones stay in `ALL`, so
that what was answered reads as it was asked.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """An answer. `concern`: it asks for something to be done; `points` are None where nothing is added up."""

    name: str
    label: str
    concern: bool = False
    points: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question with its choices; `hint` says how it is asked."""

    name: str
    label: str
    choices: tuple[Choice, ...]
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """From so many points on, the result is called so."""

    least: int
    words: str
    concern: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """A list of questions. `again_h`: the hours after which it is usually done again. `bands` only where points are."""

    name: str
    version: int
    label: str
    about: str
    questions: tuple[Question, ...]
    again_h: int
    source: str = ""
    bands: tuple[Band, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What the answers come to. `concern`: something is to be done."""

    words: str
    concern: bool
    score: int | None = None


HOUSE: Final = "The house's own list. It has no score."


def _yes_no(name: str, label: str, hint: str = "") -> Question:
    """A question whose yes asks for something to be done."""
    choices = (Choice(name="no", label="No"), Choice(name="yes", label="Yes", concern=True))
    return Question(name=name, label=label, choices=choices, hint=hint)


FALLS: Final = Instrument(
    name="falls", version=1, label="Risk of falling", source=HOUSE, again_h=168,
    about="On admission, after a fall, and when something has changed.",
    questions=(
        _yes_no("fell", "Fell in the last 12 months"),
        _yes_no("unsteady", "Unsteady when standing or walking"),
        _yes_no("dizzy", "Dizzy when getting up"),
        _yes_no("confused", "Confused, or does not ask for help"),
        _yes_no("toilet", "Hurries to the toilet, or goes at night"),
        _yes_no("sight", "Does not see well, or the glasses are not here"),
        _yes_no("medicines", "Takes medicines that make sleepy or lower the blood pressure"),
        _yes_no("shoes", "Has no shoes that hold"),
        _yes_no("bell", "Cannot reach or use the bell"),
    ),
)  # fmt: skip

SKIN: Final = Instrument(
    name="skin", version=1, label="Skin", source=HOUSE, again_h=24,
    about="Look at every place where weight rests, and under every device.",
    questions=(
        *(
            Question(
                name=name,
                label=label,
                choices=(
                    Choice(name="intact", label="Intact"),
                    Choice(name="red", label="Red, stays red when pressed", concern=True),
                    Choice(name="broken", label="Broken", concern=True),
                    Choice(name="not_seen", label="Not seen", concern=True),
                ),
            )
            for name, label in (
                ("sacrum", "Sacrum"),
                ("heels", "Heels"),
                ("hips", "Hips"),
                ("elbows", "Elbows and shoulder blades"),
                ("devices", "Under devices, masks and tubes"),
            )
        ),
        _yes_no("moist", "Skin is moist for long (sweat, urine, stool)"),
        _yes_no("turns", "Needs help to turn in bed"),
    ),
)  # fmt: skip

NUTRITION: Final = Instrument(
    name="nutrition", version=1, label="Eating and drinking", source=HOUSE, again_h=168,
    about="Ask the patient, or who knows them.",
    questions=(
        _yes_no("lost", "Lost weight in the last 3 months without wanting to"),
        _yes_no("less", "Ate less than half of the meals in the last 3 days"),
        _yes_no("swallow", "Coughs or chokes when swallowing"),
        _yes_no("chew", "Cannot chew well (teeth, mouth, pain)"),
        _yes_no("drink", "Drinks little, or must be offered each drink"),
        Question(
            name="help", label="Help with meals",
            choices=(
                Choice(name="none", label="None"),
                Choice(name="prepare", label="Food is prepared"),
                Choice(name="fed", label="Must be fed", concern=True),
            ),
        ),
    ),
)  # fmt: skip

_HELP: Final = (
    Choice(name="alone", label="Alone"),
    Choice(name="device", label="With an aid"),
    Choice(name="one", label="With one person"),
    Choice(name="two", label="With two people"),
    Choice(name="not", label="Not at all"),
)
MOBILITY: Final = Instrument(
    name="mobility", version=1, label="Mobility", source=HOUSE, again_h=72,
    about="What the patient does today, not what they could do.",
    questions=(
        Question(name="turn", label="Turns in bed", choices=_HELP),
        Question(name="sit", label="Sits up on the edge of the bed", choices=_HELP),
        Question(name="stand", label="Gets up and stands", choices=_HELP),
        Question(name="transfer", label="From bed to chair", choices=_HELP),
        Question(name="walk", label="Walks", choices=_HELP),
        Question(name="stairs", label="Climbs stairs", choices=(*_HELP, Choice(name="none", label="Not tried"))),
    ),
)  # fmt: skip

FOUR_AT: Final = Instrument(
    name="four_at", version=1, label="4AT (delirium)", again_h=24,
    about="A score alone is no diagnosis. Also for who is too drowsy to answer: then untestable.",
    source="4AT, A. MacLullich, T. Ryan, H. Cash; www.the4at.com.",
    questions=(
        Question(
            name="alertness", label="1. Alertness",
            hint="Watch the patient. If asleep, try to wake with speech or a gentle touch. Ask for name and address.",
            choices=(
                Choice(name="normal", label="Normal: fully alert, not agitated, throughout", points=0),
                Choice(name="mild", label="Mild sleepiness for under 10 seconds after waking, then normal", points=0),
                Choice(name="abnormal", label="Clearly abnormal", points=4),
            ),
        ),
        Question(
            name="amt4", label="2. AMT4",
            hint="Age, date of birth, place (name of the hospital or building), current year.",
            choices=(
                Choice(name="none", label="No mistakes", points=0),
                Choice(name="one", label="1 mistake", points=1),
                Choice(name="two", label="2 or more mistakes, or untestable", points=2),
            ),
        ),
        Question(
            name="attention", label="3. Attention",
            hint="Months of the year backwards, from December. You may ask once: what is the month before December?",
            choices=(
                Choice(name="seven", label="7 months or more correctly", points=0),
                Choice(name="less", label="Starts, but fewer than 7 months, or refuses to start", points=1),
                Choice(name="untestable", label="Untestable: unwell, drowsy, inattentive", points=2),
            ),
        ),
        Question(
            name="change", label="4. Acute change or fluctuating course",
            hint="Alertness, cognition, other mental function: within the last 2 weeks and still in the last 24 hours.",
            choices=(Choice(name="no", label="No", points=0), Choice(name="yes", label="Yes", points=4)),
        ),
    ),
    bands=(
        Band(least=4, words="Possible delirium, with or without cognitive impairment", concern=True),
        Band(least=1, words="Possible cognitive impairment", concern=True),
        Band(least=0, words="Delirium or severe cognitive impairment unlikely, but possible if 4 is not fully known"),
    ),
)  # fmt: skip
"""Items, points and bands as www.the4at.com publishes them: 0 to 12."""

ALL: Final = (FALLS, SKIN, NUTRITION, MOBILITY, FOUR_AT)
CURRENT: Final[Mapping[str, Instrument]] = {item.name: item for item in ALL}
"""The newest version of each, in the order in which they are offered."""
_EVERY: Final[Mapping[tuple[str, int], Instrument]] = {(item.name, item.version): item for item in ALL}


def version_of(name: str, version: int) -> Instrument:
    """The list as it was asked then."""
    return _EVERY[name, version]


def missing(instrument: Instrument, answers: Mapping[str, str]) -> list[Question]:
    """The questions without one of their choices."""
    return [
        question
        for question in instrument.questions
        if answers.get(question.name) not in {choice.name for choice in question.choices}
    ]


def chosen(instrument: Instrument, answers: Mapping[str, str]) -> list[tuple[Question, Choice]]:
    """Each question with its answer; questions without one are left out."""
    return [
        (question, choice)
        for question in instrument.questions
        for choice in question.choices
        if choice.name == answers.get(question.name)
    ]


def result(instrument: Instrument, answers: Mapping[str, str]) -> Result:
    """What complete answers come to: the band of the points, or the answers that ask for something to be done."""
    given = chosen(instrument, answers)
    if instrument.bands:
        score = sum(choice.points or 0 for _, choice in given)
        band = next(band for band in instrument.bands if score >= band.least)
        return Result(words=band.words, concern=band.concern, score=score)
    concerns = [
        question.label if choice.name == "yes" else f"{question.label}: {choice.label.lower()}"
        for question, choice in given
        if choice.concern
    ]
    if concerns:
        return Result(words="; ".join(concerns), concern=True)
    if instrument.name == MOBILITY.name:
        return Result(words="; ".join(f"{q.label}: {c.label.lower()}" for q, c in given), concern=False)
    return Result(words="Nothing that asks for something to be done", concern=False)
