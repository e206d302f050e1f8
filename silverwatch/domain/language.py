"""What the domain says is English; these are for what must be said in other languages in pieces."""

from collections.abc import Callable

Say = Callable[..., str]
"""Puts values into the numbered holes of an English sentence, in the reader's language."""


def english(sentence: str, *values: object) -> str:
    """The sentence as it is."""
    return sentence.format(*values)


def marked(sentence: str) -> str:
    """As it is, and shown to translators: without a capital they cannot know that it is for people."""
    return sentence
