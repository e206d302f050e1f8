"""The access matrix shows the table that the code follows, and who holds what."""

import re
from html import unescape

from silverwatch.domain.access import GRANTS, Permission, Role
from tests.cast import PASSWORD, People
from tests.conftest import Site


def rows(table: str) -> dict[str, list[str]]:
    """Each row's heading, and its cells in words."""
    found = {}
    for row in re.findall(r"<tr>(<th scope=\"row\">.*?)</tr>", table, re.S):
        cells = [unescape(re.sub(r"<[^>]+>", "", cell)).strip() for cell in re.split(r"</t[hd]>", row)[:-1]]
        found[cells[0]] = cells[1:]
    return found


def test_the_matrix_is_the_table_of_grants(site: Site, people: People) -> None:
    site.client.sign_in(people.ada, PASSWORD)
    page = site.client.get("/admin/access").get_data(as_text=True)
    permissions, holders = re.findall(r'<table class="matrix">(.*?)</table>', page, re.S)
    shown = rows(permissions)
    assert len(shown) == len(Permission)
    for permission in Permission:
        words = [word.removeprefix("–") for word in shown[permission[0].upper() + permission[1:]]]
        assert words == ["yes" if role in GRANTS[permission] else "no" for role in Role], permission
    assert rows(holders) == {
        "Ward A": ["1", "1", "1", "–"],
        "Ward B": ["1", "1", "–", "–"],
        "No ward": ["–", "–", "–", "1"],
    }


def test_every_permission_has_words_of_its_own(site: Site) -> None:
    template = site.app.root_path + "/templates/components/people.html"
    with open(template, encoding="utf-8") as file:
        text = file.read()
    assert [permission for permission in Permission if f'"{permission}": _(' not in text] == []
