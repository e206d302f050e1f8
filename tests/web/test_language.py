"""Who reads which language: the account's own, or before signing in the browser's, or the one that was chosen."""

import re

from tests.cast import People
from tests.conftest import Site
from tests.web.account_steps import signed_in


def page_of(answer: object) -> str:
    return answer.get_data(as_text=True)


def test_a_browser_is_asked_in_its_language(site: Site) -> None:
    browser = site.browser()
    for wanted, heading in (
        ("sw-KE,sw;q=0.9", "Ingia"),
        ("de", "Sign in"),
        ("en-GB,sw;q=0.5", "Sign in"),
        ("", "Sign in"),
    ):
        page = page_of(browser.get("/login", headers={"Accept-Language": wanted}))
        assert f"<h1>{heading}</h1>" in page, wanted


def test_a_chosen_language_is_kept_until_another_is_chosen(site: Site) -> None:
    browser = site.browser()
    page = page_of(browser.get("/login?next=/ward/a&lang=sw"))
    assert '<html lang="sw"' in page
    assert 'name="next" value="/ward/a"' in page
    assert re.search(r'href="\?next=/ward/a&amp;lang=en" lang="en"', page)
    assert "<h1>Ingia</h1>" in page_of(browser.get("/login"))
    wrong = browser.post(
        "/login", data={"csrf_token": browser.token(), "email": "x@example.org", "password": "no"}
    )
    assert "havilingani" in page_of(wrong) or "Kosa" in page_of(wrong)
    assert '<html lang="sw"' in page_of(browser.get("/nothing-here"))
    browser.get("/login?lang=en")
    assert "<h1>Sign in</h1>" in page_of(browser.get("/login"))


def test_what_is_no_language_is_left_out(site: Site) -> None:
    browser = site.browser()
    for lang in ("xx", "../en", "<b>", ""):
        answer = browser.get("/login", query_string={"lang": lang})
        assert '<html lang="en"' in page_of(answer)
        assert "sw_language" not in answer.headers.get("Set-Cookie", "")


def test_an_account_reads_its_own_language(site: Site, people: People) -> None:
    browser = signed_in(site, people.amina)
    site.rows("UPDATE account SET language = 'sw' WHERE email = %s RETURNING id", people.amina)
    page = page_of(browser.get("/ward/a"))
    assert '<html lang="sw"' in page
    for word in ("Kengele", "Kitanda"):
        assert word in page
    assert '<html lang="sw"' in page_of(browser.get("/patients/01990000-0000-7000-8000-000000000000"))
    assert 'class="languages"' not in page
