"""Who looks after a patient wherever the patient lies."""

from uuid import UUID

import pytest

from tests.cast import PASSWORD, Cast, People
from tests.checked import CheckedClient
from tests.conftest import Site


@pytest.fixture
def path(cast: Cast) -> str:
    """The team of Achieng."""
    return f"/patients/{cast.achieng.patient_id}/care-team"


def account(site: Site, email: str) -> UUID:
    """The account of this address."""
    found: UUID = site.row("SELECT id FROM account WHERE email = %s", email)[0]
    return found


def leave_bed(site: Site, patient_id: UUID) -> None:
    """The patient lies nowhere any more."""
    with site.cursor() as cur:
        cur.execute(
            "UPDATE stay SET during = tstzrange(lower(during), now()) WHERE patient_id = %s", (patient_id,)
        )


def test_who_is_of_the_team_sees_the_patient_wherever_and_no_longer_than_that(
    site: Site, cast: Cast, people: People, amina: CheckedClient, path: str
) -> None:
    own = account(site, people.amina)
    page = amina.get(path).get_data(as_text=True)
    assert "Nobody is named." in page
    for _ in range(2):
        assert amina.submit(path, {"account": str(own)}).location == path
    leave_bed(site, cast.achieng.patient_id)
    page = amina.get(path).get_data(as_text=True)
    assert "In no bed now" in page
    refused = amina.submit(f"{path}/{own}/removal")
    assert (refused.status_code, "Add somebody first" in refused.get_data(as_text=True)) == (422, True)
    other = site.row("INSERT INTO account (id, email, role, name, created_at, approved_at) SELECT gen_random_uuid(),"
                     " 'wanja@a.example', 'caregiver', 'Wanja', now(), now() RETURNING id")[0]  # fmt: skip
    with site.cursor() as cur:
        cur.execute(
            "INSERT INTO membership (account_id, ward_id) VALUES (%s, %s)", (other, cast.achieng.ward_id)
        )
    assert amina.submit(path, {"account": str(other)}).status_code == 303
    assert amina.submit(f"{path}/{own}/removal").location == "/patients"
    assert amina.get(path).status_code == 404
    assert site.rows("SELECT joined FROM care_team_change ORDER BY at") == [(True,), (True,), (False,)]
    assert site.row("SELECT count(*) FROM audit_entry WHERE action LIKE 'care_team.%%'") == (3,)


def test_only_caregivers_of_these_wards_can_be_added(
    site: Site, people: People, amina: CheckedClient, path: str
) -> None:
    for email in (people.bruno, people.tekla, people.patience, people.ada):
        answer = amina.submit(path, {"account": str(account(site, email))})
        assert (answer.status_code, "Choose somebody from the list." in answer.get_data(as_text=True)) == (
            422,
            True,
        )
    assert amina.submit(path, {"account": "x"}).status_code == 422
    assert site.rows("SELECT 1 FROM care_team_member") == []


def test_what_has_ended_stays_readable(site: Site, people: People, amina: CheckedClient, path: str) -> None:
    own = account(site, people.amina)
    amina.submit(path, {"account": str(own)})
    for _ in range(2):
        assert amina.submit(f"{path}/{own}/removal").location == path
    page = amina.get(path).get_data(as_text=True)
    assert "Who joined and left" in page
    assert "<b>Amina</b> left" in page
    assert site.row("SELECT count(*) FROM care_team_change") == (2,)


def test_a_foreign_team_looks_like_none(site: Site, cast: Cast, people: People, path: str) -> None:
    bruno = site.browser()
    bruno.sign_in(people.bruno, PASSWORD)
    own = str(account(site, people.bruno))
    assert bruno.get(path).status_code == 404
    assert bruno.submit(path, {"account": own}).status_code == 404
    assert bruno.submit(f"{path}/{own}/removal").status_code == 404
