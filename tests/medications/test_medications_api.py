"""Medications for programs: what is given now and what is next, of one's own patients alone."""

from typing import Any

from silverwatch import clock
from tests.api.calling import log_in
from tests.api.posting import problem
from tests.cast import Cast, People
from tests.checked import CheckedClient
from tests.conftest import Site
from tests.medications.steps import add, form, local, needed, sent_in, url


def ask(site: Site, token: str, patient_id: object, query: str = "") -> Any:
    """Ask as a program does, without a cookie."""
    headers = {"Authorization": f"Bearer {token}"}
    return site.browser().get(f"/api/patients/{patient_id}/medications/{query}", headers=headers)


def test_what_is_given_now_with_what_is_next(
    site: Site, cast: Cast, people: People, amina: CheckedClient
) -> None:
    begins = local(clock.now())
    every = sent_in(amina, site, cast, form(kind="interval", every_h="8", begins=begins, name="Cefazolin"))
    sent_in(amina, site, cast, needed())
    over = add(amina, site, cast, name="Aspirin")
    amina.submit(f"{url(cast, over)}/stop", {"because": "Bleeding"})
    token = log_in(site, people.amina)["access"]
    answer = ask(site, token, cast.achieng.patient_id)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    found = answer.get_json()
    assert (found["count"], [item["name"] for item in found["results"]]) == (2, ["Cefazolin", "Morphine"])
    first, second = found["results"]
    assert (first["id"], first["kind"], first["every_h"], first["dose"]) == (
        str(every),
        "interval",
        8,
        "500 mg",
    )
    assert first["next_due_at"].endswith("Z")
    assert (second["next_due_at"], second["most_24h"], second["reason"]) == (None, 2, "pain")
    assert [
        item["name"]
        for item in ask(site, token, cast.achieng.patient_id, "?page=2&page_size=1").get_json()["results"]
    ] == ["Morphine"]
    looks = site.row("SELECT count(*) FROM audit_entry WHERE detail ->> 'view' = 'medications'")[0]
    assert looks >= 1


def test_anothers_are_as_if_they_were_not(site: Site, cast: Cast, people: People) -> None:
    for email, patient_id in (
        (people.amina, cast.chebet.patient_id),
        (people.patience, cast.baraka.patient_id),
    ):
        problem(ask(site, log_in(site, email)["access"], patient_id), 404)
    own = ask(site, log_in(site, people.patience)["access"], cast.achieng.patient_id)
    assert own.status_code == 200
    problem(ask(site, log_in(site, people.tekla)["access"], cast.achieng.patient_id), 403)
