"""Housekeeping: the audit's head is kept outside, and what is old goes."""

import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import create_engine, text

from silverwatch import clock, db
from silverwatch.domain import audit, throttle
from silverwatch.domain.accounts import sessions
from silverwatch.domain.accounts.models import Account, OneTimeLink, RefreshToken
from silverwatch.domain.audit import anchors
from silverwatch.jobs import housekeeping
from tests.cast import People
from tests.conftest import Site


def act() -> None:
    """Something that is audited."""
    with db.transaction() as session:
        audit.record(session, "thing.done")


def test_each_new_head_is_kept_once_in_the_file_and_in_the_log(
    site: Site, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    path = tmp_path / "outside" / "anchor.jsonl"
    keep = housekeeping.Anchor(path)
    keep()
    assert not path.exists()
    for _ in range(2):
        act()
        keep()
        keep()
    act()
    keep()
    with db.transaction(read_only=True) as session:
        head = audit.newest(session)
    kept = list(anchors.read(path))
    assert [item.seq for item in kept] == [1, 2, 3]
    assert head is not None
    assert (kept[-1].seq, kept[-1].mac) == (head.seq, head.mac)
    assert caplog.text.count("audit: head ") == 3
    assert f"audit: head 3 {kept[-1].mac.hex()}" in caplog.text
    housekeeping.Anchor(path)()  # the scheduler was started anew
    assert len(list(anchors.read(path))) == 3


def test_a_chain_that_got_shorter_is_told_in_the_log(
    site: Site, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "anchor.jsonl"
    act()
    act()
    housekeeping.Anchor(path)()
    owner = create_engine(site.config.owner_url)
    with owner.begin() as connection:
        connection.execute(text("DELETE FROM audit_entry WHERE seq = 2"))
    housekeeping.Anchor(path)()
    assert "row 2 was there and the newest is 1" in caplog.text
    with owner.begin() as connection:
        connection.execute(text("DELETE FROM audit_entry"))
    owner.dispose()
    housekeeping.Anchor(path)()
    assert "row 1 was there and the newest is 0" in caplog.text


def test_a_head_that_could_not_be_kept_is_kept_the_next_time(site: Site, tmp_path: Path) -> None:
    blocked = tmp_path / "outside"
    blocked.write_text("not a folder")
    keep = housekeeping.Anchor(blocked / "anchor.jsonl")
    act()
    with pytest.raises(OSError):
        keep()
    blocked.unlink()
    keep()
    assert [item.seq for item in anchors.read(blocked / "anchor.jsonl")] == [1]


def test_the_scheduler_anchors_by_itself(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "anchor.jsonl"
    act()
    stop = threading.Event()
    thread = threading.Thread(
        target=housekeeping.run, args=(replace(site.config, audit_anchor=path), stop), daemon=True
    )
    thread.start()
    for _ in range(200):
        if path.exists() and list(anchors.read(path)):
            break
        stop.wait(0.05)
    stop.set()
    thread.join()
    assert [item.seq for item in anchors.read(path)] == [1]


def test_what_is_old_goes_and_what_is_not_stays(site: Site, people: People) -> None:
    now = clock.now()
    account_id: UUID = site.row("SELECT id FROM account LIMIT 1")[0]
    for days in (29, 31):
        old = now - timedelta(days=days)
        with db.transaction() as session:
            account = session.get_one(Account, account_id)
            _, session_id = sessions.begin(session, account_id=account.id, now=now)
            session.add_all(
                [
                    OneTimeLink(
                        id=clock.new_id(), kind="reset", account_id=account.id, email=account.email,
                        token_hash=bytes([days]), created_at=old, expires_at=old,
                    ),
                    RefreshToken(
                        id=clock.new_id(), session_id=session_id, token_hash=bytes([days]), created_at=old,
                        expires_at=old,
                    ),
                ]
            )  # fmt: skip
    for hours in (23, 25):
        with db.transaction() as session:
            limit = throttle.Limit(name="t", tries=3, per=timedelta(minutes=1))
            throttle.take(session, limit, str(hours), now=now - timedelta(hours=hours))
    housekeeping.tidy()
    for table in ("one_time_link", "refresh_token"):
        assert [row[0] for row in site.rows(f"SELECT token_hash FROM {table}")] == [bytes([29])], table
    assert site.row("SELECT count(*) FROM throttle_bucket")[0] == 1
