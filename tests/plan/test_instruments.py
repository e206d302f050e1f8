"""What the answers of an assessment come to."""

import pytest

from silverwatch.domain.records import instruments
from silverwatch.domain.records.instruments import FALLS, FOUR_AT, MOBILITY, SKIN, Instrument


def first(instrument: Instrument, **others: str) -> dict[str, str]:
    """The first choice of each question, but for these."""
    return {question.name: question.choices[0].name for question in instrument.questions} | others


@pytest.mark.parametrize(
    ("answers", "score", "words"),
    [
        ({}, 0, "unlikely"),
        ({"alertness": "mild"}, 0, "unlikely"),
        ({"amt4": "one"}, 1, "Possible cognitive impairment"),
        ({"amt4": "one", "attention": "untestable"}, 3, "Possible cognitive impairment"),
        ({"amt4": "two", "attention": "untestable"}, 4, "Possible delirium"),
        ({"alertness": "abnormal"}, 4, "Possible delirium"),
        ({"change": "yes"}, 4, "Possible delirium"),
        (
            {"alertness": "abnormal", "amt4": "two", "attention": "untestable", "change": "yes"},
            12,
            "Possible delirium",
        ),
    ],
)
def test_the_4at_scores_as_published(answers: dict[str, str], score: int, words: str) -> None:
    """www.the4at.com: 4 or above, 1 to 3, 0; at most 12."""
    found = instruments.result(FOUR_AT, first(FOUR_AT, **answers))
    assert found.score == score
    assert words in found.words


def test_a_list_of_the_house_names_what_is_to_be_done_and_adds_nothing_up() -> None:
    found = instruments.result(FALLS, first(FALLS, fell="yes", bell="yes"))
    assert (found.words, found.concern, found.score) == (
        "Fell in the last 12 months; Cannot reach or use the bell", True, None,
    )  # fmt: skip
    skin = instruments.result(SKIN, first(SKIN, heels="red"))
    assert skin.words == "Heels: red, stays red when pressed"
    nothing = instruments.result(FALLS, first(FALLS))
    assert (nothing.words, nothing.concern, nothing.score) == (
        "Nothing that asks for something to be done", False, None,
    )  # fmt: skip


def test_mobility_says_all_that_was_answered() -> None:
    found = instruments.result(MOBILITY, first(MOBILITY, walk="two"))
    assert "Walks: with two people" in found.words
    assert "Turns in bed: alone" in found.words
    assert not found.concern


@pytest.mark.parametrize("instrument", instruments.ALL, ids=lambda item: item.name)
def test_each_list_is_whole(instrument: Instrument) -> None:
    """Names are unique and fit into a form; points are given for all choices or for none, with bands down to 0."""
    names = [question.name for question in instrument.questions]
    assert len(names) == len(set(names))
    for question in instrument.questions:
        choices = [choice.name for choice in question.choices]
        assert len(choices) == len(set(choices)) >= 2
    points = {choice.points is None for question in instrument.questions for choice in question.choices}
    assert points == {not instrument.bands}
    if instrument.bands:
        least = [band.least for band in instrument.bands]
        assert least == sorted(least, reverse=True)
        assert least[-1] == 0
    assert instrument.source
    assert instruments.version_of(instrument.name, instrument.version) is instrument
    assert [q.name for q in instruments.missing(instrument, {})] == names
    assert instruments.missing(instrument, first(instrument)) == []
