"""What administrators do to accounts, and that it counts at once."""

import threading
from uuid import UUID

import pytest

from silverwatch import clock
from silverwatch.domain.access import Actor, Role
from silverwatch.domain.accounts import people as verbs
from silverwatch.domain.errors import ConflictError, DomainError, NotFoundError
from tests.cast import PASSWORD, Cast, People
from tests.conftest import Site
from tests.web.office import Office, account_id, administrator, audited


@pytest.fixture
def ada(site: Site, people: People) -> Office:
    """The administrator."""
    return administrator(site, people)


def change_role(ada: Office, account: UUID, role: Role, patient_id: UUID | None = None) -> None:
    with ada.session() as session:
        verbs.change_role(
            session, by=ada.actor, account_id=account, role=role, patient_id=patient_id, now=clock.now()
        )


def set_wards(ada: Office, account: UUID, *ward_ids: UUID) -> None:
    with ada.session() as session:
        verbs.set_wards(session, by=ada.actor, account_id=account, ward_ids=ward_ids, now=clock.now())


def reactivate(ada: Office, account: UUID) -> None:
    with ada.session() as session:
        verbs.reactivate(session, by=ada.actor, account_id=account, now=clock.now())


def test_a_deactivated_account_is_out_at_once_and_back_as_it_was(
    site: Site, ada: Office, people: People
) -> None:
    amina = account_id(site, people.amina)
    site.client.sign_in(people.amina, PASSWORD)
    ada.deactivate(amina)
    ada.deactivate(amina)
    assert site.client.get("/ward/a").location.startswith("/login")
    assert site.client.sign_in(people.amina, PASSWORD).status_code == 422
    reactivate(ada, amina)
    reactivate(ada, amina)
    assert site.client.sign_in(people.amina, PASSWORD).location == "/ward"
    assert site.client.get("/ward/a").status_code == 200
    for action in ("account.deactivated", "account.reactivated"):
        assert audited(site, action) == [("done", f"account:{amina}")]


def test_nobody_ends_themselves_and_an_administrator_always_remains(
    site: Site, ada: Office, people: People
) -> None:
    ada_id, amina = ada.actor.account_id, account_id(site, people.amina)
    with pytest.raises(ConflictError, match="your own"):
        ada.deactivate(ada_id)
    bruno = Office(
        site, Actor(account_id=account_id(site, people.bruno), role=Role.ADMIN, name="was one until now")
    )
    with pytest.raises(ConflictError, match="last administrator"):
        bruno.deactivate(ada_id)
    with pytest.raises(ConflictError, match="last administrator"):
        change_role(ada, ada_id, Role.CAREGIVER)
    ada.invite("second@a.example", Role.ADMIN)  # who never came does not count
    with pytest.raises(ConflictError, match="last administrator"):
        change_role(ada, ada_id, Role.CAREGIVER)
    change_role(ada, amina, Role.ADMIN)
    change_role(ada, ada_id, Role.CAREGIVER)
    assert site.row("SELECT role FROM account WHERE id = %s", ada_id) == ("caregiver",)


def test_two_administrators_who_end_each_other_at_once_leave_one(
    site: Site, ada: Office, people: People
) -> None:
    amina = account_id(site, people.amina)
    change_role(ada, amina, Role.ADMIN)
    other = Office(site, Actor(account_id=amina, role=Role.ADMIN, name="Amina"))
    start, refused = threading.Barrier(2), []

    def end(office: Office, account: UUID) -> None:
        start.wait()
        try:
            office.deactivate(account)
        except ConflictError:
            refused.append(account)

    threads = [
        threading.Thread(target=end, args=pair)
        for pair in ((ada, amina), (other, ada.actor.account_id))
    ]  # fmt: skip
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1
    assert site.row("SELECT count(*) FROM account WHERE role = 'admin' AND deactivated_at IS NULL") == (1,)


def test_another_role_ends_the_sessions_and_what_the_old_one_reached(
    site: Site, ada: Office, people: People, cast: Cast
) -> None:
    amina = account_id(site, people.amina)
    with site.cursor() as cur:
        cur.execute(
            "INSERT INTO care_team_member (patient_id, account_id, added_at) VALUES (%s, %s, now())",
            (cast.chebet.patient_id, amina),
        )
    site.client.sign_in(people.amina, PASSWORD)
    change_role(ada, amina, Role.TECHNICIAN)
    assert site.client.get("/ward/a").location.startswith("/login")
    assert site.client.sign_in(people.amina, PASSWORD).location == "/devices"
    change_role(ada, amina, Role.CAREGIVER)
    assert site.rows("SELECT 1 FROM care_team_member WHERE account_id = %s", amina) == []
    for bad in (None, clock.new_id()):
        with pytest.raises(DomainError, match="Choose the patient"):
            change_role(ada, amina, Role.PATIENT, bad)
    with pytest.raises(ConflictError, match="another account"):
        change_role(ada, amina, Role.PATIENT, cast.achieng.patient_id)
    with pytest.raises(DomainError, match="Choose a role"):
        change_role(ada, amina, Role.DISPLAY)
    change_role(ada, amina, Role.PATIENT, cast.baraka.patient_id)
    assert site.rows("SELECT 1 FROM membership WHERE account_id = %s", amina) == []
    change_role(ada, amina, Role.CAREGIVER)
    assert site.row("SELECT patient_id FROM account WHERE id = %s", amina) == (None,)
    assert len(audited(site, "account.role_changed")) == 4


def test_who_waits_for_approval_gets_no_role_by_the_back_door(site: Site, ada: Office) -> None:
    fields = {"name": "Mary", "email": "mary@b.example", "password": "a lamp behind the door"}
    site.client.submit("/register", fields)
    with pytest.raises(ConflictError, match="approval"):
        change_role(ada, account_id(site, "mary@b.example"), Role.ADMIN)


def test_wards_count_with_the_next_request_and_open_screens_are_told(
    site: Site, ada: Office, people: People, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(
        "silverwatch.db._after_commit", lambda facts: told.extend(type(f).__name__ for _, f in facts)
    )
    amina = account_id(site, people.amina)
    site.client.sign_in(people.amina, PASSWORD)
    set_wards(ada, amina, cast.chebet.ward_id)
    assert told == ["GrantsChanged"]
    assert site.client.get("/ward/a").status_code == 404
    assert site.client.get("/ward/b").status_code == 200
    set_wards(ada, amina, cast.chebet.ward_id)
    assert told == ["GrantsChanged"]
    assert audited(site, "account.wards_changed") == [("done", f"account:{amina}")]
    with pytest.raises(DomainError, match="does not exist"):
        set_wards(ada, amina, cast.chebet.ward_id, clock.new_id())
    with pytest.raises(DomainError, match="no ward"):
        set_wards(ada, account_id(site, people.patience), cast.chebet.ward_id)


def test_an_account_that_is_not_there_is_not_found(site: Site, ada: Office, cast: Cast) -> None:
    nobody = clock.new_id()
    for act in (
        lambda: ada.deactivate(nobody),
        lambda: reactivate(ada, nobody),
        lambda: change_role(ada, nobody, Role.CAREGIVER),
        lambda: set_wards(ada, nobody),
        lambda: ada.approve(nobody, cast.baraka.patient_id),
    ):
        with pytest.raises(NotFoundError):
            act()


def test_a_record_that_somebody_else_has_by_now_is_not_given_back(
    site: Site, ada: Office, people: People, cast: Cast
) -> None:
    patience = account_id(site, people.patience)
    ada.deactivate(patience)
    ada.invite("again@a.example", Role.PATIENT, patient_id=cast.achieng.patient_id)
    with pytest.raises(ConflictError, match="another account"):
        reactivate(ada, patience)
