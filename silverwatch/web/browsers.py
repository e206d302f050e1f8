"""What a browser calls itself, in words that a person recognises."""

from typing import Final

BROWSERS: Final = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
SYSTEMS: Final = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)
"""First match counts: each of the later ones stands in the names of the earlier ones too."""


def in_words(name: str | None) -> tuple[str, str]:
    """The browser and the system, such as Firefox and Linux; empty where we do not know it."""
    written = name or ""
    return (
        next((word for sign, word in BROWSERS if sign in written), ""),
        next((word for sign, word in SYSTEMS if sign in written), ""),
    )
