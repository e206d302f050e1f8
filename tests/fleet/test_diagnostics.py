"""How a device delivers: stored, refused, late, with gaps; and the flow of all devices."""

from datetime import timedelta

from silverwatch import clock, db
from silverwatch.domain.alerts import diagnostics
from tests.cast import Cast
from tests.checked import CheckedClient
from tests.conftest import Site
from tests.fleet.test_fleet import page
from tests.fleet.test_fleet import tekla as tekla
from tests.jobs.posting import judge, post


def send(site: Site, cast: Cast) -> None:
    """Twelve readings with a gap of a minute, and two that are refused."""
    post(site, cast.achieng.key, [(second, {"heart_rate": 70}) for second in (*range(1, 6), *range(66, 73))])
    post(site, cast.achieng.key, [(0, {"heart_rate": 71}), (0.5, {"heart_rate": 9000}), (0.2, {"mood": 3})])


def test_a_day_of_a_device(site: Site, cast: Cast) -> None:
    send(site, cast)
    with db.transaction(read_only=True) as session:
        found = diagnostics.diagnose(
            session, cast.achieng.device_id, longest=timedelta(seconds=15), now=clock.now()
        )
    assert found.stored == 13
    assert {row.code: row.number for row in found.refused} == {"implausible": 1, "unknown_field": 1}
    assert [round(gap.seconds) for gap in found.gaps] == [61]
    assert found.p95_s is not None
    assert 60 <= found.p95_s < 200
    assert len(found.items) == found.refused_items == 2


def test_the_page_shows_what_came_and_the_audit_knows(site: Site, cast: Cast, tekla: CheckedClient) -> None:
    send(site, cast)
    shown = page(tekla, f"/devices/{cast.achieng.device_id}/diagnostics")
    assert "A value that no body has" in shown
    assert "9000" in shown
    assert "Achieng" not in shown
    views = site.rows("SELECT detail->>'view', patient_ids FROM audit_entry WHERE action = 'record.viewed'")
    named = site.rows("SELECT patient_id FROM quarantine WHERE patient_id IS NOT NULL")
    assert views == ([("diagnostics", sorted({row[0] for row in named}))] if named else [])
    assert "Nothing was refused." in page(tekla, f"/devices/{cast.baraka.device_id}/diagnostics")
    assert tekla.get(f"/devices/{cast.chebet.device_id}/diagnostics").status_code == 404


def test_the_flow_is_that_of_the_own_wards(site: Site, cast: Cast, tekla: CheckedClient) -> None:
    send(site, cast)
    post(site, cast.chebet.key, [(1, {"heart_rate": 70})])
    shown = page(tekla, "/ingest")
    assert "<dt>Devices that sent</dt><dd>1</dd>" in shown
    assert "<dt>Patients to be judged</dt><dd>2</dd>" in shown
    judge()
    assert "<dt>Patients to be judged</dt><dd>0</dd>" in page(tekla, "/ingest")
