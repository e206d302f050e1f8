"""What the audit costs: rows, statements and the indexes that they use."""

import re
from datetime import timedelta
from typing import Any

import psycopg
from sqlalchemy import event

from silverwatch import clock, db
from silverwatch.domain import audit
from silverwatch.domain.audit import queries
from tests.cast import PASSWORD, Cast, People
from tests.conftest import Site


def test_a_look_that_is_known_costs_one_question(site: Site, people: People, statements: list[str]) -> None:
    site.client.sign_in(people.amina, PASSWORD)
    site.client.get("/ward/a")
    statements.clear()
    site.client.get("/ward/a")
    assert sum("audit_entry" in statement for statement in statements) == 1
    assert not [statement for statement in statements if "INSERT" in statement]


def test_polls_add_no_rows(site: Site, cast: Cast, people: People) -> None:
    site.client.sign_in(people.amina, PASSWORD)
    site.client.get("/ward/a")
    before = site.row("SELECT count(*) FROM audit_entry")
    for _ in range(3):
        assert site.client.get(f"/wards/{cast.achieng.ward_id}/board").status_code == 200
        assert site.client.get(f"/beds/{cast.achieng.bed_id}/tile").status_code == 200
    assert site.row("SELECT count(*) FROM audit_entry") == before


FILL = """
INSERT INTO audit_entry (seq, at, action, outcome, account_id, account_name, role, session_id, patient_ids, ward_id,
  detail, mac)
SELECT n, now() - (30000 - n) * interval '1 minute', 'record.viewed', 'done', md5('a' || n % 200)::uuid, 'x',
  'caregiver', md5('s' || n / 20)::uuid,
  ARRAY(SELECT md5('p' || (n * 7 + i) % 3000)::uuid FROM generate_series(1, 12) i), NULL,
  jsonb_build_object('view', 'ward'), '\\x00' FROM generate_series(1, 30000) n
"""


def test_questions_use_their_indexes(site: Site, cast: Cast) -> None:
    with psycopg.connect(site.config.owner_url.replace("+psycopg", "", 1), autocommit=True) as owner:
        owner.execute(FILL.encode())
        owner.execute("ANALYZE audit_entry")
    plans: list[str] = []

    def explain(_: object, cursor: Any, statement: str, *__: object) -> None:
        # Our connections plan without looking at the values, so that is what is asked for.
        names = list(dict.fromkeys(re.findall(r"%\((\w+)\)s", statement)))
        if "audit_entry" in statement:
            generic = re.sub(r"%\((\w+)\)s", lambda found: f"${names.index(found[1]) + 1}", statement)
            rows = cursor.execute(f"EXPLAIN (GENERIC_PLAN) {generic}").fetchall()
            plans.append("\n".join(row[0] for row in rows))

    event.listen(db.engine(), "before_cursor_execute", explain)
    try:
        audit.set_who(audit.Who(session_id=clock.new_id()))
        with db.transaction(read_only=True) as session:
            audit.is_viewed(session, "ward", ward_id=cast.achieng.ward_id)
            session.scalar(audit.service.seen("ward", ids=[cast.achieng.patient_id], ward_id=None))
            now = clock.now()
            queries.openings(session, cast.achieng.patient_id, own=clock.new_id(), since=now - timedelta(days=15),
                             until=now, zone="Africa/Nairobi")  # fmt: skip
            queries.entries(session, queries.Wanted(patient_id=cast.achieng.patient_id), limit=51)
            queries.entries(session, queries.Wanted(), limit=51, before=20000)
    finally:
        event.remove(db.engine(), "before_cursor_execute", explain)
        audit.set_who(audit.Who())
    viewed, seen, openings, entries, newest = plans
    assert "ix_audit_entry_session" in viewed, viewed
    assert "ix_audit_entry_session" in seen, seen
    assert "ix_audit_entry_patients" in openings, openings
    assert "ix_audit_entry_patients" in entries, entries
    assert "pk_audit_entry" in newest, newest
    assert all("Seq Scan on audit_entry" not in plan for plan in plans)


def test_a_refusal_leaves_one_row(site: Site, cast: Cast, people: People) -> None:
    site.client.sign_in(people.bruno, PASSWORD)
    before = site.row("SELECT count(*) FROM audit_entry")[0]
    assert site.client.get(f"/patients/{cast.achieng.patient_id}").status_code == 404
    assert site.client.get("/admin/audit").status_code == 403
    assert site.row("SELECT count(*) FROM audit_entry")[0] == before + 2
