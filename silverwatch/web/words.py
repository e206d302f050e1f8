"""The words of the interface in the reader's language.

Templates speak English through `_`; what Python says reaches a page in English too, and `said` turns it: a whole
sentence is looked up, a sentence with values is known by its pattern (see `tools/sentences.py`), and its values are
turned in their turn. What no catalogue knows, a name or a note that somebody wrote, stays as it is.
"""

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from typing import Final

from babel.messages import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

from silverwatch.domain.accounts.profile import LANGUAGES

CATALOGUES: Final = Path(str(files("silverwatch"))) / "translations"
_HOLE: Final = re.compile(r"\{\d+\}")


@dataclass(frozen=True, slots=True)
class Words:
    """One language. `gettext` is what templates call `_`; `patterns` know the sentences with values."""

    gettext: NullTranslations
    patterns: tuple[tuple[re.Pattern[str], str], ...] = ()

    def say(self, sentence: str, *values: object) -> str:
        """A sentence with numbered holes, and its values in them."""
        return self.gettext.gettext(sentence).format(*values)

    def said(self, text: str) -> str:
        """A text that came from Python, in this language."""
        whole = self.gettext.gettext(text) if text else text
        if whole != text or not self.patterns:
            return whole
        for pattern, sentence in self.patterns:
            if found := pattern.fullmatch(text):
                return sentence.format(*(self.said(value) for value in found.groups()))
        return text


@cache
def words(language: str) -> Words:
    """The words of a language; English for one that is not spoken here."""
    path = CATALOGUES / language / "LC_MESSAGES" / "messages.po"
    if language == "en" or language not in LANGUAGES:
        return Words(NullTranslations())
    with path.open("rb") as file:
        catalogue = read_po(file, locale=language)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Words(Translations(compiled), _patterns(catalogue))


def _patterns(catalogue: Catalog) -> tuple[tuple[re.Pattern[str], str], ...]:
    """Sentences with holes; those with the most words of their own first, so that the narrowest one fits."""
    found = [
        (m.id, str(m.string))
        for m in catalogue
        # Without a capital it is a piece that only `say` uses, and would fit too much.
        if isinstance(m.id, str) and m.id[:1].isupper() and _HOLE.search(m.id) and m.string
    ]
    found.sort(key=lambda pair: -len(_HOLE.sub("", pair[0])))
    return tuple((re.compile(pattern_of(sentence), re.DOTALL), own) for sentence, own in found)


def pattern_of(sentence: str) -> str:
    """The regular expression that knows "Say it in {0} characters."."""
    plain = _HOLE.split(sentence)
    return "(.*?)".join(re.escape(each.replace("{{", "{").replace("}}", "}")) for each in plain)
