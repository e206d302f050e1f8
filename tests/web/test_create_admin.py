"""The first account: only on an empty site, never with a password on the command line."""

import io
import subprocess
import sys

import pytest

from silverwatch import admin_account
from silverwatch.config import ConfigError
from tests.cast import PASSWORD, People
from tests.conftest import Site

EMAIL = "Grace@Site.example"


def create(
    site: Site, *, password: str = PASSWORD, email: str = EMAIL, name: str = "Grace"
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "silverwatch.cli", "create-admin", "--email", email, "--name", name],
        input=f"{password}\n", env={**site.env, "BASE_URL": "https://ward.example"}, capture_output=True, text=True,
        timeout=60,
    )  # fmt: skip


def test_an_empty_site_gets_its_first_administrator_once(site: Site) -> None:
    done = create(site)
    assert (done.returncode, done.stderr) == (0, "")
    assert "https://ward.example/login" in done.stdout
    assert PASSWORD not in done.stdout
    row = site.row(
        "SELECT email, role, name, approved_at IS NOT NULL, email_confirmed_at IS NOT NULL FROM account"
    )
    assert row == ("grace@site.example", "admin", "Grace", True, True)
    assert site.rows("SELECT action, outcome FROM audit_entry") == [("account.created", "done")]
    # A new site asks its staff for a second factor at once.
    assert site.client.sign_in("grace@site.example", PASSWORD).location == "/second-factor/setup"
    again = create(site, email="other@site.example")
    assert again.returncode == 1
    assert again.stdout == ""
    assert again.stderr.strip() == (
        "silverwatch: There is an account already. An administrator can invite you."
    )
    assert site.row("SELECT count(*) FROM account") == (1,)


def test_any_account_closes_the_door(site: Site, people: People) -> None:
    with site.cursor() as cur:
        cur.execute("DELETE FROM membership")
        cur.execute("UPDATE account SET deactivated_at = now() WHERE role = 'admin'")
    assert create(site).returncode == 1


@pytest.mark.parametrize(
    "given",
    [{"password": "password1234"}, {"password": ""}, {"email": "nobody"}, {"name": "\u202e"}],
)
def test_what_cannot_be_is_one_line(site: Site, given: dict[str, str]) -> None:
    refused = create(site, **given)
    assert refused.returncode == 1
    assert len(refused.stderr.strip().splitlines()) == 1
    assert refused.stderr.startswith("silverwatch: ")
    assert site.rows("SELECT 1 FROM account") == []


class Terminal(io.StringIO):
    """Somebody types here."""

    def isatty(self) -> bool:
        return True


def test_at_a_terminal_it_is_asked_for_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal())
    asked: list[str] = []

    def typing(*words: str) -> str:
        answers = iter(words)

        def ask(prompt: str) -> str:
            asked.append(prompt)
            return next(answers)

        return admin_account.read_password(ask)

    assert typing(PASSWORD, PASSWORD) == PASSWORD
    assert asked == ["Password: ", "The same again: "]
    with pytest.raises(ConfigError, match="differ"):
        typing(PASSWORD, PASSWORD + "x")
