"""What only the anchors find, and the command of the operator."""

import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from silverwatch import clock, db, keys
from silverwatch.domain.audit import anchors, chain, verifying
from tests.conftest import Site
from tests.jobs.auditing import anchor, as_owner, problems, verdict, write


def reseal(site: Site, key: bytes) -> None:
    """The whole chain again, with the owner's own key."""
    with db.transaction(read_only=True) as session:
        rows = session.execute(text("SELECT * FROM audit_entry ORDER BY seq")).mappings().all()
    mac, macs = chain.GENESIS, []
    for row in rows:
        mac = chain.seal(key, {**row, "account_name": "Somebody else"}, after=mac)
        macs.append((mac.hex(), row["seq"]))
    as_owner(site, "UPDATE audit_entry SET account_name = 'Somebody else'",
             *(f"UPDATE audit_entry SET mac = '\\x{value}' WHERE seq = {seq}" for value, seq in macs))  # fmt: skip


def test_a_chain_sealed_with_another_key_is_found(site: Site) -> None:
    write(3)
    reseal(site, b"the owner's own key, 32 bytes lo")
    assert verdict(site).found == 3


def test_a_chain_sealed_with_a_stolen_key_is_found_by_its_anchor(site: Site, tmp_path: Path) -> None:
    write(3)
    anchor(tmp_path / "anchors")
    reseal(site, keys.of_audit(site.config)[0])
    assert problems(site) == []
    assert problems(site, tmp_path / "anchors") == ["Row 3 is not the row that was anchored."]


def test_the_cut_off_end_is_found_as_far_as_it_was_anchored(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "anchors"
    write(3)
    anchor(path)
    write(2)
    anchor(path)
    write(2)
    assert (verdict(site, path).anchors, verdict(site, path).loose, verdict(site, path).sound) == (2, 2, True)
    as_owner(site, "DELETE FROM audit_entry WHERE seq > 5")
    assert problems(site, path) == []
    as_owner(site, "DELETE FROM audit_entry WHERE seq > 4")
    assert problems(site) == []
    assert problems(site, path) == ["The end was cut off: row 5 was anchored, the last one there is 4."]
    as_owner(site, "TRUNCATE audit_entry")
    assert problems(site, path) == ["The end was cut off: row 5 was anchored, the last one there is 0."]


def test_a_cut_end_that_grew_again_is_found(site: Site, tmp_path: Path) -> None:
    write(3)
    anchor(tmp_path / "anchors")
    as_owner(site, "DELETE FROM audit_entry WHERE seq > 1")
    write(4)
    assert problems(site) == []
    assert problems(site, tmp_path / "anchors") == ["Row 3 is not the row that was anchored."]


def test_what_is_not_anchored_is_said(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "anchors"
    write()
    anchor(path)
    before = clock.now()
    write(2)
    found = verdict(site, path)
    assert found.loose == 2
    assert found.loose_since is not None
    assert before <= found.loose_since <= clock.now()
    words = verifying.lines(found, anchor_file=path)[-1]
    assert f"the last 2 rows since {found.loose_since:%Y-%m-%d %H:%M:%S} UTC are not anchored yet" in words
    assert "3 rows, head 3" in words
    assert "no anchor file is set" in verifying.lines(verdict(site), anchor_file=None)[-1]


def test_the_anchor_file_survives_a_torn_line_but_no_change(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "far" / "anchors"
    write()
    anchor(path)
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:40])
    assert anchors.last(path) == next(anchors.read(path))
    write()
    anchor(path)
    assert verdict(site, path).anchors == 2
    assert problems(site, path) == []
    for bad in (b"garbage\n", b"\xff\xfe\n", b'{"seq": 1e999, "mac": "", "at": ""}\n', b'[["x"]]\n', b"{}\n"):
        path.write_bytes(bad + whole)
        assert problems(site, path) == ["Line 1 of the anchor file is no anchor: somebody changed the file."]


def test_anchors_that_go_back_or_are_gone_are_told(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "anchors"
    assert "cannot be read" in problems(site, path)[0]
    write(2)
    anchor(path)
    first = path.read_bytes()
    write(2)
    anchor(path)
    path.write_bytes(path.read_bytes() + first)
    assert "The anchors go back from row 4 to row 2" in problems(site, path)[0]


@pytest.fixture
def verify(site: Site) -> Callable[..., subprocess.CompletedProcess[str]]:
    """The command of the operator."""

    def run(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "silverwatch.cli", "audit", "verify", *arguments]
        return subprocess.run(command, env={**site.env, **env}, capture_output=True, text=True, timeout=60)

    return run


def test_the_command_says_so_and_exits_1(
    site: Site, tmp_path: Path, verify: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    path = tmp_path / "anchors"
    write(3)
    head = anchor(path)
    write()
    done = verify(AUDIT_ANCHOR=str(path))
    assert done.returncode == 0, done
    assert "audit: sound; 4 rows, head 4" in done.stdout
    assert "1 anchors; the last 1 rows since" in done.stdout
    as_owner(site, "DELETE FROM audit_entry WHERE seq > 2")
    assert verify().returncode == 0
    found = verify("--anchors", str(path))
    assert found.returncode == 1
    assert found.stdout.splitlines()[0] == "The end was cut off: row 3 was anchored, the last one there is 2."
    assert head.mac.hex() in path.read_text()
    assert verify(DATABASE_URL="postgresql://nobody@127.0.0.1:1/none").returncode == 1


def test_verifying_keeps_no_rows_in_memory(site: Site) -> None:
    as_owner(
        site,
        "INSERT INTO audit_entry (seq, at, action, outcome, patient_ids, detail, mac) SELECT n, now(), 'x', 'done',"
        " ARRAY[gen_random_uuid()], jsonb_build_object('n', repeat('y', 3000)), decode(repeat('00', 32), 'hex')"
        " FROM generate_series(1, 6000) n",
    )
    tracemalloc.start()
    found = verdict(site)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (found.rows, found.found) == (6000, 6000)
    assert peak < 8 * 1024 * 1024
