"""When a dose is late is the site's to say; and the nurse of the demo, who gives what is due."""

from datetime import timedelta

from silverwatch import clock
from silverwatch.simulator.nurse import Nurse
from tests.cast import PASSWORD, Cast, People
from tests.checked import CheckedClient
from tests.clients.serving import serving
from tests.conftest import Site
from tests.medications.steps import hourly, sent_in, url
from tests.medications.test_doses import waiting


def test_the_site_says_when_a_dose_is_late(
    site: Site, cast: Cast, people: People, amina: CheckedClient
) -> None:
    ada = site.browser()
    ada.sign_in(people.ada, PASSWORD)
    path = "/admin/settings/doses"
    assert path in ada.get("/admin/settings").get_data(as_text=True)
    for late, unrecorded in (("4", "240"), ("60", "60"), ("60", "1441"), ("x", "240"), ("-5", "")):
        refused = ada.submit(path, {"late_min": late, "unrecorded_min": unrecorded})
        assert refused.status_code == 422
        assert "Enter whole minutes of 5 to 1440" in refused.get_data(as_text=True)
    sent_in(amina, site, cast, hourly())
    oldest = waiting(cast)[0]
    assert oldest.state(oldest.due_at + timedelta(minutes=30)) == "due"
    for _ in range(2):
        assert ada.submit(path, {"late_min": "20", "unrecorded_min": "90"}).status_code == 303
    changed = (
        "SELECT count(*) FROM audit_entry WHERE action = 'settings.changed' AND detail->>'group' = 'doses'"
    )
    assert site.row(changed) == (1,)
    oldest = waiting(cast)[0]
    assert oldest.state(oldest.due_at + timedelta(minutes=30)) == "late"
    assert oldest.state(oldest.due_at + timedelta(minutes=90)) == "unrecorded"
    page = amina.get(f"{url(cast)}/adherence").get_data(as_text=True)
    assert "Not recorded" in page


def test_the_nurse_of_the_demo_gives_what_is_due_and_nothing_else(
    site: Site, cast: Cast, people: People, amina: CheckedClient
) -> None:
    sent_in(amina, site, cast, hourly())
    before = waiting(cast)
    with serving(site) as served:
        nurse = Nurse(served.url, email=people.amina, password=PASSWORD)
        nurse.give(str(cast.achieng.patient_id), since=before[0].due_at, until=before[1].due_at)
        assert [dose.due_at for dose in waiting(cast)] == [dose.due_at for dose in before[1:]]
        nurse.give(str(cast.achieng.patient_id), since=before[0].due_at, until=clock.now())
    assert all(dose.due_at > clock.now() - timedelta(minutes=1) for dose in waiting(cast))
