"""Letters: from the transaction that writes them to the mail server, whoever dies in between."""

import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest
import redis

from silverwatch import clock, db, flow
from silverwatch.adapters import mail
from silverwatch.adapters.job_queue import JobQueue
from silverwatch.adapters.redis_bus import Bus
from silverwatch.domain.mail import service
from silverwatch.jobs import send_letters
from silverwatch.web import letters
from tests.conftest import Site
from tests.jobs.post_office import (
    NURSE,
    SECRET,
    PostOffice,
    open_office,
    pass_time,
    rows,
    use,
    write,
)


def test_a_server_that_is_away_is_asked_again_and_only_once_a_round(site: Site) -> None:
    with open_office() as office:
        port = office.port
    use(site, f"smtp://127.0.0.1:{port}")
    write()
    write()
    assert send_letters.drain() == 0
    first, second = rows(site)
    assert tuple(first[:4]) == (1, False, False, True)
    assert SECRET in first[4]
    assert "could not be used" in first[5]
    assert second[0] == 0
    assert send_letters.drain() == 0  # the first rests, the second is tried
    assert [row[0] for row in rows(site)] == [1, 1]
    assert send_letters.drain() == 0
    assert [row[0] for row in rows(site)] == [1, 1]
    pass_time(site, timedelta(minutes=1))
    with open_office(port=port) as office:
        assert send_letters.drain() == 2
        assert len(office.letters) == 2
    assert [(row[1], row[4], row[5]) for row in rows(site)] == [(True, "", None)] * 2


def test_the_pauses_grow_and_end_after_a_day(site: Site) -> None:
    write()
    minutes = []
    began = now = clock.now()
    while True:
        with db.transaction() as session:
            letter = service.claim(session, now=now)
            assert letter is not None
        with db.transaction() as session:
            again = service.failed(session, letter.id, error="away", now=now)
        if again is None:
            break
        minutes.append((again - now).total_seconds() / 60)
        now = again
    assert minutes[:6] == [1, 5, 15, 60, 240, 240]
    assert timedelta(hours=24) <= now - began < timedelta(hours=29)
    assert tuple(rows(site)[0][2:5]) == (True, False, "")


def test_dying_after_the_server_took_it_sends_it_twice_at_most_under_one_id(
    site: Site, office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(site, office.url)
    write()

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(service, "sent", die)
        with pytest.raises(KeyboardInterrupt):
            send_letters.drain()
    assert len(office.taken) == 1
    assert send_letters.drain() == 0  # somebody may be at it still
    pass_time(site, service.LEASE)
    assert send_letters.drain() == 1
    first, second = office.letters
    assert first["Message-ID"] == second["Message-ID"]
    pass_time(site, timedelta(days=1))
    assert send_letters.drain() == 0


def test_dying_before_the_server_took_it_loses_nothing(
    site: Site, office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(site, office.url)
    write()

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(mail.Mailer, "send", die)
        with pytest.raises(KeyboardInterrupt):
            send_letters.drain()
    pass_time(site, service.LEASE)
    assert send_letters.drain() == 1
    assert len(office.taken) == 1


def test_a_mistake_of_ours_holds_up_no_other_letter(
    site: Site, office: PostOffice, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    use(site, office.url)
    write(subject="Poison")
    write(subject="Good")
    real = mail.Mailer.send

    def stumble(mailer: mail.Mailer, letter: mail.Posted) -> None:
        if letter.subject == "Poison":
            raise KeyError(SECRET)
        real(mailer, letter)

    monkeypatch.setattr(mail.Mailer, "send", stumble)
    assert send_letters.drain() == 1
    poison, good = rows(site)
    assert tuple(poison[:4]) == (1, False, False, True)
    assert poison[5] == "Our own mistake (KeyError): see the log."
    assert good[1]
    assert "sending" in caplog.text


def test_many_who_send_at_once_send_each_letter_once(site: Site, office: PostOffice) -> None:
    use(site, office.url)
    for number in range(12):
        write(subject=f"Letter {number}")
    threads = [threading.Thread(target=send_letters.drain) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(letter["Subject"] for letter in office.letters) == sorted(f"Letter {n}" for n in range(12))


def test_what_is_rolled_back_was_never_written(site: Site) -> None:
    def write_and_fail() -> None:
        with db.transaction() as session:
            service.write(session, to=NURSE, subject="s", body="b", now=clock.now())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_and_fail()
    assert rows(site) == []


def test_the_thread_of_the_scheduler_leaves_new_letters_to_the_worker(site: Site, office: PostOffice) -> None:
    use(site, office.url)
    write()
    assert send_letters.drain(older=send_letters.UNSENT) == 0
    pass_time(site, send_letters.UNSENT)
    assert send_letters.drain(older=send_letters.UNSENT) == 1


def test_old_letters_are_forgotten(site: Site) -> None:
    for to in ("waits@a.example", "sent@a.example"):
        write(to=to)
    with site.cursor() as cur:
        cur.execute(
            "UPDATE letter SET sent_at = now(), next_attempt_at = NULL, body = '' WHERE address LIKE 'sent%'"
        )
    for days, expected in ((6, [False, False]), (8, [True, False]), (31, [True]), (60, [])):
        with db.transaction() as session:
            service.tidy(session, now=clock.now() + timedelta(days=days))
        assert [row[2] for row in rows(site)] == expected


def test_a_letter_is_made_from_its_template(site: Site) -> None:
    with site.app.app_context(), db.transaction() as session:
        letters.tell(
            session, to=NURSE, letter="test", now=clock.now(), name="O'Neil & <b>\n\nYour account is closed."
        )
    subject, body = site.row("SELECT subject, body FROM letter")
    assert subject == "Silver Watch: a test letter"
    assert body.startswith("O'Neil & <b> Your account is closed. has asked")
    assert f"{site.config.base_url}/\nA secondary display, not a medical device.\n" in body


def test_a_link_begins_with_the_setting_and_not_with_the_host_header(site: Site) -> None:
    with site.app.test_request_context("/", headers={"Host": "evil.example"}):
        assert letters.link("/reset/x") == f"{site.config.base_url}/reset/x"
        assert "evil" not in letters.letter("test", name="A")[1]


def test_each_job_has_a_bell_and_a_queue_of_its_own(site: Site) -> None:
    queue = JobQueue(site.config.redis_url)
    tell = flow.Ringer(bus=Bus(site.config.redis_url), queue=queue)
    with redis.Redis.from_url(site.config.redis_url) as client:
        for name in ("rq:queue:alarms", "rq:queue:reports"):
            client.delete(name)
        db.on_commit(tell)
        write()
        write()
        tell.readings_stored()
        until = time.monotonic() + 10
        while time.monotonic() < until and not (
            client.llen("rq:queue:alarms") and client.llen("rq:queue:reports")
        ):
            time.sleep(0.02)
        assert (client.llen("rq:queue:alarms"), client.llen("rq:queue:reports")) == (1, 1)
    assert site.row("SELECT count(*) FROM event WHERE kind = 'LetterWritten' AND rung_at IS NOT NULL")[0] == 2


@pytest.mark.slow
def test_a_commit_rings_a_real_worker_of_reports(site: Site, tmp_path: Path) -> None:
    env = site.env | {"SMTP_URL": tmp_path.as_uri()}
    worker = subprocess.Popen([sys.executable, "-m", "silverwatch.cli", "worker", "reports"], env=env)
    try:
        until = time.monotonic() + 30
        with redis.Redis.from_url(site.config.redis_url) as client:
            while not client.smembers("rq:workers") and time.monotonic() < until:
                time.sleep(0.05)
        write()
        while not list(tmp_path.glob("*.eml")) and time.monotonic() < until:
            time.sleep(0.05)
        assert len(list(tmp_path.glob("*.eml"))) == 1
    finally:
        worker.terminate()
        worker.wait(20)
