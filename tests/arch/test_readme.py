"""The README says what is true: its commands exist, its links lead somewhere."""

import re
import subprocess

from silverwatch.cli import _parser
from silverwatch.schema import MIGRATIONS

ROOT = MIGRATIONS.parent
README = (ROOT / "README.md").read_text()


def test_make_targets_exist() -> None:
    named = set(re.findall(r"^    make (\w[\w-]*)", README, re.MULTILINE)) | {"help"}
    assert {"demo", "test"} <= named
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert named <= targets


def test_commands_exist() -> None:
    for line in re.findall(r"^    silverwatch ([a-z ]+?)\s+#", README, re.MULTILINE):
        assert _parser().parse_args(line.split()).command


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)]+)\)", README):
        assert (ROOT / target).exists(), target


def test_it_says_what_it_is() -> None:
    assert "not a medical device" in README
    assert len(README.splitlines()) < 70


def test_ci_is_a_script_that_parses() -> None:
    subprocess.run(["bash", "-n", str(ROOT / ".ci" / "run")], check=True)
