"""What may not stand in the source at all. Each exception is named with its reason."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CODE = [path for folder in ("silverwatch", "api") for path in (ROOT / folder).rglob("*.py")]
TEMPLATES = list((ROOT / "silverwatch/templates").rglob("*.*"))
SCRIPTS = list((ROOT / "silverwatch/static/js").glob("*.js"))

BANNED = {
    r"\beval\(": {},
    r"(?<!\.)\bexec\(": {},
    r"\bpickle\b": {"silverwatch/adapters/job_queue.py": "says why it is not used"},
    r"yaml\.load": {},
    r"\bxml\b": {},
    r"shell=True": {},
    r"os\.system": {},
    r"\b(md5|sha1)\b": {},
    r"verify=False|CERT_NONE|_create_unverified": {},
    r"random\.(random|choice|randint)\(": {
        "silverwatch/engines/processes.py": "a free port, no secret",
        "api/lane.py": "when to come again, no secret",
    },
    r"render_template_string|from_string\(": {},
    r"Markup\(": {"silverwatch/web/templating.py": "icons", "silverwatch/web/charts.py": "our own SVG"},
}


def uses(pattern: str, files: list[Path]) -> set[str]:
    """The files in which it stands outside comments."""
    found = set()
    for path in files:
        for line in path.read_text("utf-8").splitlines():
            if re.search(pattern, line.partition("# ")[0]):
                found.add(str(path.relative_to(ROOT)))
    return found


@pytest.mark.parametrize("pattern", BANNED)
def test_what_the_code_does_without(pattern: str) -> None:
    assert uses(pattern, CODE) <= BANNED[pattern].keys()


def test_templates_escape_everything() -> None:
    assert len(TEMPLATES) > 20
    for pattern in (
        r"\|\s*safe\b",
        r"autoescape\s+false",
        r"<script(?![^>]*\bsrc=)",
        r"\sstyle=",
        r"\son[a-z]+=",
        r"hx-on",
        r"js:",
    ):
        assert uses(pattern, TEMPLATES) == set(), pattern


def test_scripts_write_text_not_markup() -> None:
    assert len(SCRIPTS) >= 8
    for pattern in (
        r"\.innerHTML\s*=",
        r"\.outerHTML\s*=",
        r"insertAdjacentHTML",
        r"document\.write",
        r"\beval\(",
        r"new Function",
    ):
        assert uses(pattern, SCRIPTS) == set(), pattern


def test_no_secret_stands_in_the_repository() -> None:
    key = re.compile(r"(sw[dkr]_[A-Za-z0-9_-]{30,}|-----BEGIN [A-Z ]*PRIVATE KEY|AKIA[0-9A-Z]{16})")
    for path in (*CODE, *TEMPLATES, ROOT / ".env.example", ROOT / "README.md"):
        assert not key.search(path.read_text("utf-8")), path
