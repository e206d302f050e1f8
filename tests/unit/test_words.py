"""The interface in other languages: nothing is left in English, nothing breaks, and sentences with values are known."""

import ast
import re
from collections.abc import Iterator
from configparser import ConfigParser
from datetime import UTC, datetime
from pathlib import Path

import pytest
from babel.messages import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po

from silverwatch.domain.access import Permission
from silverwatch.domain.accounts.profile import LANGUAGES
from silverwatch.domain.alerts.conditions import All, NoData, Slope, Value
from silverwatch.domain.alerts.house_rule import Rule, Schedule
from silverwatch.domain.alerts.rule_words import differences, sentence
from silverwatch.web import filters, letters
from silverwatch.web.words import CATALOGUES, pattern_of, words
from tools.sentences import message

ROOT = Path(__file__).parents[2]
HOLES = re.compile(r"%\(\w+\)[sd]|%%|\{\d+\}|</?\w+>")
OTHERS = sorted(set(LANGUAGES) - {"en"})


def catalogue(language: str) -> Catalog:
    with (CATALOGUES / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return read_po(file, locale=language)


def said() -> Iterator[tuple[str, str | tuple[str, ...], str]]:
    """File, message and context of everything that people read, as `make words` finds it."""
    config = ConfigParser()
    config.read(ROOT / "babel.cfg")
    package = ROOT / "silverwatch"
    for section in config.sections():
        method, _, pattern = section.partition(": ")
        if not pattern:
            continue
        for path in sorted(package.glob(pattern.replace("**.", "**/*."))):
            options = dict(config[section])
            found = extract_from_file(config["extractors"].get(method, method), path, options=options)
            for _line, text, _comments, context in found:
                yield str(path.relative_to(ROOT)), text, context or ""


@pytest.mark.parametrize("language", OTHERS)
def test_everything_that_people_read_is_translated(language: str) -> None:
    known = {
        (m.id, m.context or "")
        for m in catalogue(language)
        if m.id and all([m.string] if isinstance(m.string, str) else m.string)
    }
    assert [m.id for m in catalogue(language) if m.id and m.fuzzy] == []
    missing = {(file, text) for file, text, context in said() if text and (text, context) not in known}
    assert missing == set(), "make words, then translate what is empty"


def test_what_people_read_is_found() -> None:
    found = {text for _, text, _ in said()}
    assert {
        "Sign in",
        "Alarms",
        "Say it in {0} characters.",
        "above",
        ("%(num)s ward", "%(num)s wards"),
    } <= found
    assert len(found) > 3000


@pytest.mark.parametrize("language", OTHERS)
def test_no_value_is_lost_in_a_translation(language: str) -> None:
    wrong = []
    for each in catalogue(language):
        if not each.id:
            continue
        if isinstance(each.id, str):
            same = sorted(HOLES.findall(each.id)) == sorted(HOLES.findall(str(each.string)))
        else:
            allowed = {hole for form in each.id for hole in HOLES.findall(form)}
            same = all(set(HOLES.findall(form)) <= allowed for form in each.string) and len(each.string) == 2
        if not same or any(
            a.isspace() != b.isspace() for a, b in zip(edges(each.id), edges(each.string), strict=True)
        ):
            wrong.append(each.id)
    assert wrong == []


def edges(text: str | tuple[str, ...]) -> tuple[str, str]:
    one = text if isinstance(text, str) else text[0]
    return one[0], one[-1]


def test_a_sentence_with_values_is_known_by_its_pattern() -> None:
    swahili = words("sw")
    assert swahili.said("Say it in 80 characters.") == "Eleza kwa herufi 80."
    assert swahili.said("Error: Wards and beds") == "Kosa: Wodi na vitanda"
    assert swahili.said("There is a patient {0} already.".replace("{0}", "KNH-1 {x}")).count("KNH-1 {x}") == 1
    assert (
        swahili.said("A note that somebody wrote to somebody.") == "A note that somebody wrote to somebody."
    )
    assert swahili.said("") == ""


def test_english_says_what_it_is_given() -> None:
    for language in ("en", "xx", "../en"):
        assert words(language).said("Error: Wards and beds") == "Error: Wards and beds"


def test_every_pattern_knows_its_own_sentence() -> None:
    """And no other one takes it away: whatever the values, the sentence that is found is the one that was meant."""
    swahili = words("sw")
    for each in catalogue("sw"):
        if isinstance(each.id, str) and each.id[:1].isupper() and "{0}" in each.id:
            values = [str(value) for value in range(7, 16)]
            assert re.fullmatch(pattern_of(each.id), each.id.format(*values))
            assert swahili.said(each.id.format(*values)) == str(each.string).format(*values)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ('f"Say it in {MOST} characters."', "Say it in {0} characters."),
        ('"Choose a ward."', "Choose a ward."),
        ('f"There is {a} and {b}"', "There is {0} and {1}"),
        ('"SELECT id FROM ward"', None),
        ('"Content-Type"', None),
        ('"lower case"', None),
        ('f"{what} is wrong"', None),
    ],
)
def test_which_strings_are_sentences(code: str, expected: str | None) -> None:
    node = ast.parse(code, mode="eval").body
    assert isinstance(node, ast.Constant | ast.JoinedStr)
    assert message(node) == expected


def test_a_rule_in_another_language() -> None:
    rule = Rule(
        name="x",
        condition=All(
            of=(
                Value(vital="respiratory_rate", operator=">", bound=24),
                NoData(vital="temperature", minutes=5),
            )
        ),
        schedule=Schedule(start=21 * 60, end=7 * 60),
    )
    told = sentence(rule, say=words("sw").say)
    assert told.startswith("RR juu ya 24 /min na Hakuna kipimo cha")
    assert "21:00 hadi 07:00" in told
    steep = Rule(
        name="x", condition=Slope(vital="heart_rate", direction="rises", by=20, minutes=15), priority="low"
    )
    assert any("inapanda kwa 20" in each for each in differences(rule, steep, say=words("sw").say))


def test_every_permission_has_its_words() -> None:
    told = (ROOT / "silverwatch/templates/components/people.html").read_text("utf-8")
    assert [each for each in Permission if f'"{each.value}": _(' not in told] == []


def test_months_and_letters_speak_the_language() -> None:
    may = datetime(2026, 5, 2, 12, tzinfo=UTC)
    assert filters.of(words("sw").said)["day"](may) == "02-Mei-2026"
    assert filters.of(words("en").said)["short_day"](may) == "02-May"
    subject, body = letters.letter("approved", language="sw", name="Amina", url="https://x/")
    assert subject != letters.letter("approved", language="en", name="Amina", url="https://x/")[0]
    assert "https://x/" in body
