"""What a real mail server gets from us, what it answers, and what it never gets."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from silverwatch.adapters import mail
from silverwatch.config import ConfigError
from silverwatch.jobs import send_letters
from tests.conftest import Site
from tests.jobs.post_office import (
    NURSE,
    SECRET,
    PostOffice,
    certificate,
    open_office,
    pass_time,
    rows,
    use,
    write,
)


def test_a_letter_arrives_and_its_body_is_forgotten(site: Site, office: PostOffice) -> None:
    use(site, office.url)
    write(subject="Über 38 °C", body=f"Grüße.\n{SECRET}\n.\nThe end: {'x' * 300}\n")
    assert send_letters.drain() == 1
    (letter,) = office.letters
    assert office.taken[0].rcpt_tos == [NURSE]
    assert (letter["Subject"], letter["To"]) == ("Über 38 °C", NURSE)
    assert letter["From"] == "Ward A <ward@hospital.example>"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["Message-ID"].endswith("@hospital.example>")
    assert letter["Date"].datetime.tzinfo is not None
    assert letter.get_content_type() == "text/plain"
    assert letter.get_content().splitlines() == ["Grüße.", SECRET, ".", f"The end: {'x' * 300}"]
    assert [tuple(row) for row in rows(site)] == [(1, True, False, False, "", None)]
    assert send_letters.drain() == 0


def test_nobody_writes_headers_or_letters_of_his_own(site: Site, office: PostOffice) -> None:
    use(site, office.url)
    write(
        subject="Hello\r\nBcc: thief@evil.example\r\n\r\nClick here\u2028now\x00",
        body="one\r\n.\r\nMAIL FROM:<x>\r\n\x00",
    )
    write(to=f"{NURSE}\r\nRCPT TO:<thief@evil.example>")
    write(to=f"{NURSE}, thief@evil.example")
    write(to="\ud800@a.example")
    assert send_letters.drain() == 1
    (letter,) = office.letters
    assert office.taken[0].rcpt_tos == [NURSE]
    assert letter["Bcc"] is None
    assert letter["Subject"] == "Hello Bcc: thief@evil.example Click here now"
    assert letter.get_content().splitlines() == ["one", ".", "MAIL FROM:<x>"]
    assert [row[2] for row in rows(site)] == [False, True, True, True]


@pytest.mark.parametrize(
    ("answer", "given_up"),
    [("550 5.1.1 No such person", True), ("550 5.7.1 Relaying denied", False), ("451 Try later", False)],
)
def test_who_refuses_for_good_is_not_asked_again(
    site: Site, office: PostOffice, answer: str, given_up: bool
) -> None:
    use(site, office.url)
    office.answers[NURSE] = answer
    write()
    write(to="tekla@a.example")
    assert send_letters.drain() == 1
    refused, taken = rows(site)
    assert tuple(refused[:4]) == (1, False, given_up, not given_up)
    assert (refused[4] == "") == given_up
    assert answer in refused[5]
    assert taken[1]


def test_without_a_mail_server_letters_wait(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    mail.configure(site.config)
    assert "SMTP_URL is not set" in caplog.text
    write()
    assert send_letters.drain() == 0
    assert tuple(rows(site)[0][:4]) == (0, False, False, True)


def test_a_password_is_never_sent_in_the_clear(site: Site) -> None:
    with open_office(host="127.0.0.2", needs_password=True) as office:
        use(site, office.url.replace("smtp://", "smtp://nurse:p%40ss@"))
        write()
        assert send_letters.drain() == 0
        assert office.passwords == []
    assert "never sent in the clear" in rows(site)[0][5]


def test_tls_is_used_where_it_is_offered_and_only_with_a_good_certificate(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls, trusted = certificate(tmp_path, "127.0.0.2")
    with open_office(host="127.0.0.2", tls=tls, needs_password=True) as office:
        use(site, office.url.replace("smtp://", "smtp://nurse:p%40ss@"))
        write()
        assert send_letters.drain() == 0
        assert (office.taken, office.passwords) == ([], [])
        assert "certificate" in rows(site)[0][5].lower()
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        pass_time(site, timedelta(minutes=1))
        assert send_letters.drain() == 1
        assert office.passwords == [(b"nurse", b"p@ss")]


def test_a_folder_takes_letters_as_private_files(site: Site, tmp_path: Path) -> None:
    folder = tmp_path / "letters of the demo"
    use(site, folder.as_uri())
    write(body=f"Grüße: {SECRET}{'x' * 100}\n")
    assert send_letters.drain() == 1
    (path,) = folder.iterdir()
    assert (path.suffix, path.stat().st_mode & 0o777, folder.stat().st_mode & 0o777) == (".eml", 0o600, 0o700)
    assert f"Grüße: {SECRET}{'x' * 100}\n" in path.read_text("utf-8")


@pytest.mark.parametrize(
    ("url", "sender"),
    [
        ("mail.example", "a@b.example"),
        ("http://mail.example", "a@b.example"),
        ("smtp://mail.example:none", "a@b.example"),
        ("file://elsewhere/letters", "a@b.example"),
        ("smtp://mail.example", "Nobody"),
        ("smtp://mail.example", "a@b.example\nBcc: c@d.example"),
    ],
)
def test_a_wrong_setting_stops_the_start(site: Site, url: str, sender: str) -> None:
    with pytest.raises(ConfigError, match=r"SMTP_URL|MAIL_FROM"):
        mail.configure(replace(site.config, smtp_url=url, mail_from=sender))
