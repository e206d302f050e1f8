"""The chain of the audit on a real database, attacked with all the rights of its owner."""

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import exc, text

from silverwatch import clock, db, keys
from silverwatch.domain import audit
from silverwatch.domain.access import Role
from silverwatch.domain.audit import chain, verifying
from tests.conftest import Site
from tests.jobs.auditing import WHO, as_owner, attacked, problems, verdict, write


def test_an_untouched_chain_is_sound(site: Site) -> None:
    assert verdict(site).rows == 0
    write(3)
    found = verdict(site)
    assert (found.rows, found.sound, found.head and found.head.seq) == (3, True, 3)


def test_twenty_writers_make_one_chain(site: Site) -> None:
    threads = [threading.Thread(target=write, args=(5,)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems(site) == []
    assert verdict(site).rows == 100


def fail_after_recording(error: str) -> None:
    """A transaction that fails after its row was noted."""
    with db.transaction() as session:
        audit.record(session, "thing.done")
        session.execute(text(error))


def test_what_is_rolled_back_leaves_nothing_and_no_gap(site: Site) -> None:
    write()
    for error in ("SELECT 1 / 0", "INSERT INTO heartbeat (name) VALUES (NULL)"):
        with pytest.raises(exc.DBAPIError):
            fail_after_recording(error)
    write()
    assert problems(site) == []
    assert verdict(site).rows == 2


ALIENS: dict[str, str] = {
    "seq": "40",
    "at": "at + interval '1 microsecond'",
    "action": "action || ' '",
    "outcome": "'refused'",
    "account_id": "gen_random_uuid()",
    "account_name": "'Amino'",
    "role": "NULL",
    "session_id": "NULL",
    "patient_ids": "patient_ids[1:1]",
    "ward_id": "gen_random_uuid()",
    "subject": "subject || '0'",
    "detail": "detail || '{\"number\": 1.0}'",
    "address": "'10.0.0.8'",
    "request_id": "''",
    "mac": "set_byte(mac, 31, get_byte(mac, 31) # 1)",
}


def test_every_column_has_its_attack() -> None:
    assert set(ALIENS) == set(audit.models.AuditEntry.__table__.columns.keys()) == {*chain.COVERED, "mac"}


def test_a_change_of_any_column_of_any_row_is_found(site: Site) -> None:
    write(4)
    for where in (1, 2, 4):
        for column, value in ALIENS.items():
            found = attacked(site, f"UPDATE audit_entry SET {column} = {value} WHERE seq = {where}")
            assert not found.sound, (column, where)
    assert verdict(site).sound


CHANGES = (
    "at = 'infinity'",
    "at = at - interval '4100 years'",
    "detail = jsonb_set(detail, '{number}', repeat('9', 6000)::jsonb)",
    "detail = '[]'",
    "detail = 'null'",
    "patient_ids = '{}'",
    "patient_ids = '{NULL}'",
    "patient_ids = patient_ids[2:2] || patient_ids[1:1]",
    "patient_ids = ('[0:1]=' || patient_ids::text)::uuid[]",
    "detail = replace(detail::text, 'because', 'becaus' || chr(1077))::jsonb",
    "mac = ''",
)


def test_values_that_no_program_writes_are_found(site: Site) -> None:
    write(3)
    for change in CHANGES:
        assert not attacked(site, f"UPDATE audit_entry SET {change} WHERE seq = 2").sound, change


ATTACKS = (
    "DELETE FROM audit_entry WHERE seq = 1",
    "DELETE FROM audit_entry WHERE seq = 3",
    "DELETE FROM audit_entry WHERE seq IN (2, 3, 4)",
    "DELETE FROM audit_entry WHERE seq = 3; UPDATE audit_entry SET seq = seq - 1 WHERE seq = 4;"
    " UPDATE audit_entry SET seq = seq - 1 WHERE seq = 5",
    "UPDATE audit_entry SET seq = 100 WHERE seq = 2; UPDATE audit_entry SET seq = 2 WHERE seq = 3;"
    " UPDATE audit_entry SET seq = 3 WHERE seq = 100",
    "UPDATE audit_entry a SET detail = b.detail, at = b.at FROM audit_entry b"
    " WHERE (a.seq, b.seq) IN ((2, 4), (4, 2))",
    "UPDATE audit_entry a SET detail = b.detail, at = b.at, mac = b.mac FROM audit_entry b"
    " WHERE (a.seq, b.seq) IN ((2, 4), (4, 2))",
    "INSERT INTO audit_entry SELECT 6, at, action, outcome, account_id, account_name, role, session_id,"
    " patient_ids, ward_id, subject, detail, address, request_id, mac FROM audit_entry WHERE seq = 5",
    "ALTER TABLE audit_entry DROP CONSTRAINT pk_audit_entry;"
    " INSERT INTO audit_entry SELECT * FROM audit_entry WHERE seq = 3",
    "ALTER TABLE audit_entry DROP CONSTRAINT pk_audit_entry; ALTER TABLE audit_entry ALTER seq DROP NOT NULL;"
    " UPDATE audit_entry SET seq = NULL WHERE seq = 5",
)


def test_removed_moved_and_forged_rows_are_found(site: Site) -> None:
    write(5)
    for attack in ATTACKS:
        assert not attacked(site, attack).sound, attack


def test_a_row_of_another_branch_is_found(site: Site) -> None:
    """Sealed by us, with the right number: only the row before it is another one."""
    write(5)
    as_owner(
        site,
        "CREATE TABLE kept AS SELECT * FROM audit_entry WHERE seq > 3",
        "DELETE FROM audit_entry WHERE seq > 3",
    )
    write(2)
    assert attacked(site, "UPDATE audit_entry SET at = at WHERE seq = 4").sound
    swap = (
        "DELETE FROM audit_entry WHERE seq = {0}; INSERT INTO audit_entry SELECT * FROM kept WHERE seq = {0}"
    )
    found = [attacked(site, swap.format(seq)).problems for seq in (4, 5)]
    assert found == [["Row 5 was changed, or what stood before it was changed or removed."]] * 2


def test_the_words_name_the_row(site: Site) -> None:
    write(6)
    as_owner(
        site, "DELETE FROM audit_entry WHERE seq IN (2, 3)", "UPDATE audit_entry SET role = 'x' WHERE seq = 6"
    )
    assert problems(site) == [
        "Rows 2 to 3 are missing.",
        "Row 4 was changed, or what stood before it was changed or removed.",
        "Row 6 was changed, or what stood before it was changed or removed.",
    ]


def test_thousands_of_problems_are_counted_not_printed(site: Site) -> None:
    write(40)
    as_owner(site, "UPDATE audit_entry SET role = 'x'")
    found = verdict(site)
    assert (found.rows, found.found, len(found.problems)) == (40, 40, 20)
    assert "And 20 problems more." in verifying.lines(found, anchor_file=None)


def test_rows_of_before_the_audit_had_a_key_of_its_own_still_verify(site: Site) -> None:
    write(2)
    config = replace(site.config, audit_key="a key of the audit alone, long enough")
    audit.configure(keys.of_audit(config))
    write(2)
    assert verifying.verify(config.database_url, keys=keys.of_audit(config), anchor_file=None).sound
    assert verdict(site).found == 2


VALUES: list[object] = [
    0.1, -0.0, 1e22, 1e-7, 5e-324, 1.7976931348623157e308, float("nan"), float("-inf"), 2**64, -(10**299), 10**5000,
    "Ünï — \U0001f600 e\u0301 \u202e", "a\0b\x1b[31m\r\n\t\x7f\x85", "\ud800 half", "x" * 5000, b"bytes", True, None,
    {"b": 1, "a": {"é": [1, 2.5, None]}, 3: "three"}, {"\0": 1}, {3, 1, 2}, ("a", 1), list(range(1000)), object,
    clock.now(), clock.now().astimezone(), clock.new_id(), timedelta(seconds=1), Role.ADMIN,
]  # fmt: skip


def test_whatever_goes_in_comes_back_as_it_was_sealed(site: Site) -> None:
    for value in VALUES:
        write(detail={"value": value, "list": [value]})
        assert problems(site) == [], repr(value)[:50] if value != 10**5000 else "10**5000"


def test_a_deep_detail_has_an_end(site: Site) -> None:
    deep: dict[str, object] = {}
    for _ in range(5000):
        deep = {"in": deep}
    write(detail=deep)
    assert problems(site) == []


def test_names_and_addresses_are_cleaned_too(site: Site) -> None:
    assert WHO.actor is not None
    audit.set_who(replace(WHO, actor=replace(WHO.actor, name="A\0\x1b\ud800"), address="1\0" * 4000))
    with db.transaction() as session:
        audit.record(session, "thing.done")
    assert problems(site) == []
    assert site.row("SELECT account_name, length(address) FROM audit_entry") == ("A  ?", 1000)


def test_the_application_can_only_add(site: Site) -> None:
    write()
    for statement in (
        "UPDATE audit_entry SET role = 'x'",
        "DELETE FROM audit_entry",
        "TRUNCATE audit_entry",
        "DROP TABLE audit_entry",
        "ALTER TABLE audit_entry DISABLE TRIGGER ALL",
        "CREATE RULE quiet AS ON INSERT TO audit_entry DO INSTEAD NOTHING",
    ):
        with pytest.raises(exc.ProgrammingError, match=r"permission denied|must be owner"):
            with db.transaction() as session:
                session.execute(text(statement))
    assert verdict(site).rows == 1
