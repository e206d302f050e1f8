"""Every applicable level-1 requirement has a proof: a test that exists, or a part of a document that exists."""

import ast
import csv
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "tests/security/asvs.csv"

LEVEL_1 = " ".join(
    (
        "1.2.1 1.2.2 1.2.3 1.2.4 1.2.5 1.3.1 1.3.2 1.5.1 2.1.1 2.2.1 2.2.2 2.3.1 3.2.1 3.2.2 3.3.1 3.4.1 3.4.2",
        "3.5.1 3.5.2 3.5.3 4.1.1 4.4.1 5.2.1 5.2.2 5.3.1 5.3.2 6.1.1 6.2.1 6.2.2 6.2.3 6.2.4 6.2.5 6.2.6 6.2.7",
        "6.2.8 6.3.1 6.3.2 6.4.1 6.4.2 7.2.1 7.2.2 7.2.3 7.2.4 7.4.1 7.4.2 8.1.1 8.2.1 8.2.2 8.3.1 9.1.1 9.1.2",
        "9.1.3 9.2.1 11.3.1 11.3.2 11.4.1 12.1.1 12.2.1 12.2.2 13.4.1 14.2.1 14.3.1 15.1.1 15.2.1 15.3.1",
    )
).split()
"""Level 1 of ASVS 5.0.0 without what does not apply: OAuth, WebRTC, LDAP, XPath, GraphQL, identity providers."""


def rows() -> list[dict[str, str]]:
    """The table."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_no_requirement_is_missing() -> None:
    assert sorted(row["id"] for row in rows()) == sorted(LEVEL_1)


def test_every_proof_is_there() -> None:
    gaps = [(row["id"], proof) for row in rows() for proof in row["proof"].split() if not _exists(proof)]
    assert gaps == []
    assert all(row["proof"] for row in rows())


def _exists(proof: str) -> bool:
    if "::" in proof:
        path, _, name = proof.partition("::")
        return (ROOT / path).is_file() and name in _tests(path)
    path, _, anchor = proof.partition("#")
    return (ROOT / path).is_file() and anchor in _anchors(path)


@cache
def _tests(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@cache
def _anchors(path: str) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", (ROOT / path).read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") for title in titles}
