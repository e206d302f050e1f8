"""Pages of duty, chains, channels, gateways and drills, without JavaScript."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from silverwatch import clock, db
from silverwatch.domain.accounts.models import Account
from silverwatch.domain.notices import addresses, drills, gateways
from silverwatch.web import filters
from tests.cast import PASSWORD, Cast, People
from tests.checked import CheckedClient
from tests.conftest import Site
from tests.duty.crew import accept, actor_of, join, there


@pytest.fixture
def amina(site: Site, cast: Cast, people: People) -> CheckedClient:
    """Amina's browser."""
    browser = site.browser()
    browser.sign_in(people.amina, PASSWORD)
    return browser


@pytest.fixture
def ada(site: Site, cast: Cast, people: People) -> CheckedClient:
    """The administrator's browser."""
    browser = site.browser()
    browser.sign_in(people.ada, PASSWORD)
    return browser


def text(browser: CheckedClient, path: str) -> str:
    answer = browser.get(path)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def test_duty_is_accepted_and_ended_on_its_page(site: Site, cast: Cast, amina: CheckedClient) -> None:
    ward = cast.achieng.ward_id
    assert "Nobody is on duty here." in text(amina, "/duty")
    assert amina.submit("/duty/a/acceptance", {"role": "charge_nurse"}).status_code == 303
    assert there(ward) == [("Amina", "charge_nurse", True)]
    assert "Nobody is on duty here." not in text(amina, "/duty")
    refused = amina.submit("/duty/a/handover")
    assert (refused.status_code, "only one on duty" in refused.get_data(as_text=True)) == (422, True)
    ben = join("Ben", ward)
    accept(ben, ward)
    assert amina.submit("/duty/a/handover", {"to": str(ben.account_id)}).status_code == 303
    assert there(ward) == [("Ben", "nurse", True)]
    assert amina.submit("/duty/b/acceptance").status_code == 404
    assert amina.submit("/duty/a/acceptance", {"role": "doctor"}).status_code == 422


def test_shifts_are_planned_and_taken_off_the_plan(
    site: Site, cast: Cast, people: People, amina: CheckedClient, ada: CheckedClient
) -> None:
    ward = cast.achieng.ward_id
    who = str(actor_of(people.amina).account_id)
    tomorrow = (clock.now().astimezone(ZoneInfo(filters.time_zone())) + timedelta(days=1)).date()
    form = {"ward": str(ward), "who": who, "day": tomorrow.isoformat(), "pattern": "late", "role": ""}
    assert ada.submit("/admin/duty/shifts", form).status_code == 303
    assert "already" in ada.submit("/admin/duty/shifts", form).get_data(as_text=True)
    assert ada.submit("/admin/duty/shifts", form | {"day": "soon"}).status_code == 422
    assert "Remove Amina, Late on" in text(ada, f"/admin/duty?ward={ward}")
    assert "Amina <small>Nurse" in text(amina, "/duty")
    shift_id = site.row("SELECT id FROM planned_shift")[0]
    assert ada.submit(f"/admin/duty/shifts/{shift_id}/removal").status_code == 303
    assert "Remove Amina" not in text(ada, f"/admin/duty?ward={ward}")
    sent = ada.submit("/admin/duty/roles", {"ward": str(ward), "who": who, "role": "doctor"})
    assert sent.status_code == 303
    assert site.row("SELECT duty_role FROM account WHERE id = %s", who)[0] == "doctor"


def test_a_chain_is_checked_shown_in_words_and_saved(site: Site, cast: Cast, ada: CheckedClient) -> None:
    assert "Nurse at once; Charge nurse after 2 min" in " ".join(text(ada, "/admin/chains").split())
    form = {
        "who_0": "nurse", "after_0": "0", "channels_0": "push", "who_1": "charge_nurse", "after_1": "1,5",
        "who_2": "", "after_2": "", "repeat": "4",
    }  # fmt: skip
    asked = ada.submit("/admin/chains/a/high", form)
    assert asked.status_code == 200
    page = " ".join(asked.get_data(as_text=True).split())
    assert "Charge nurse after 1 min 30 s; then again every 4 min" in page
    assert site.rows("SELECT 1 FROM escalation_chain") == []
    hidden = {"who_0": "nurse", "after_0": "0", "channels_0": "push", "who_1": "charge_nurse", "after_1": "1.5",
              "channels_1": "web", "repeat": "4", "confirmed": "yes"}  # fmt: skip
    for name, value in hidden.items():
        assert f'name="{name}" value="{value}"' in page
    assert ada.submit("/admin/chains/a/high", hidden).status_code == 303
    stored = site.row("SELECT steps, repeat_s, version FROM escalation_chain")
    assert [step["after_s"] for step in stored[0]] == [0, 90]
    assert stored[0][0]["channels"] == ["web", "push"]
    assert (stored[1], stored[2]) == (240, 1)
    assert ada.submit("/admin/chains/a/high/removal").status_code == 303
    assert site.row("SELECT ended_at IS NOT NULL FROM escalation_chain")[0]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"who_1": "doctor"}, "the chain would end in nobody"),
        ({"after_1": "soon"}, "Enter minutes"),
        ({"after_1": "0"}, "later than the one before"),
        ({"who_0": "", "who_1": ""}, "Add a step"),
        ({"who_1": "somebody"}, "from the list"),
        ({"repeat": "0"}, "repeats every 1 to 240 minutes"),
    ],
)
def test_a_chain_that_makes_no_sense_says_why(
    site: Site, cast: Cast, ada: CheckedClient, change: dict[str, str], says: str
) -> None:
    form = {"who_0": "nurse", "after_0": "0", "who_1": "charge_nurse", "after_1": "2", "repeat": "5"}
    answer = ada.submit("/admin/chains/site/high", form | change | {"confirmed": "yes"})
    assert answer.status_code == 422
    assert says in answer.get_data(as_text=True)
    assert site.rows("SELECT 1 FROM escalation_chain") == []


def test_a_channel_is_used_once_its_code_came_back(site: Site, people: People, amina: CheckedClient) -> None:
    added = amina.submit("/profile/channels", {"channel": "email", "address": "Ward@Hospital.example"})
    assert added.status_code == 303
    body = site.row("SELECT subject FROM letter WHERE address = 'ward@hospital.example'")[0]
    code = body.rpartition(" ")[2]
    address_id = site.row("SELECT id FROM notice_address WHERE verified_at IS NULL")[0]
    wrong = "000000" if code != "000000" else "111111"
    url = f"/profile/channels/{address_id}"
    assert amina.submit(f"{url}/verification", {"code": wrong}).status_code == 422
    assert amina.submit(f"{url}/code").status_code == 422  # one was sent just now
    assert amina.submit(f"{url}/verification", {"code": code}).status_code == 303
    assert "Verified" in text(amina, "/profile/channels")
    assert amina.submit(f"{url}/removal").status_code == 303
    assert amina.submit(f"{url}/verification", {"code": code}).status_code == 404


def test_five_wrong_codes_end_the_code(site: Site, cast: Cast, people: People) -> None:
    keys = [b"k" * 32]
    who, now = actor_of(people.amina).account_id, clock.now()
    with db.transaction() as session:
        new = addresses.add(session, who, channel="sms", address="+254711000111", keys=keys, now=now)
    wrong = "000000" if new.code != "000000" else "111111"
    for code in (*[wrong] * 5, new.code):
        with db.transaction() as session:
            assert not addresses.verify(session, who, new.id, code=code, keys=keys, now=now)
    assert site.row("SELECT verified_at FROM notice_address")[0] is None


@pytest.mark.parametrize(
    ("channel", "address", "says"),
    [
        ("sms", "+254711000111", "that the site has set up"),
        ("email", "nobody", "Enter an e-mail address"),
        ("fax", "1", "that the site has set up"),
    ],
)
def test_an_address_that_cannot_be_used_says_why(
    site: Site, amina: CheckedClient, channel: str, address: str, says: str
) -> None:
    answer = amina.submit("/profile/channels", {"channel": channel, "address": address})
    assert answer.status_code == 422
    assert says in answer.get_data(as_text=True)
    assert site.rows("SELECT 1 FROM notice_address") == []


def test_quiet_hours_are_kept(site: Site, people: People, amina: CheckedClient) -> None:
    path = "/profile/channels/quiet"
    assert amina.submit(path, {"quiet_from": "22:00", "quiet_until": "06:30"}).status_code == 303
    assert 'value="06:30"' in text(amina, "/profile/channels")
    for begin, end in (("22:00", ""), ("late", "07:00"), ("07:00", "07:00")):
        assert amina.submit(path, {"quiet_from": begin, "quiet_until": end}).status_code == 422
    assert amina.submit(path, {"quiet_from": "", "quiet_until": ""}).status_code == 303
    assert site.row("SELECT quiet_from FROM notice_preference")[0] is None


def test_gateways_are_set_and_their_secrets_never_come_back(site: Site, ada: CheckedClient) -> None:
    url = "/admin/settings/notices"
    form = {
        "sms_kind": "africas_talking", "sms_user": "ward", "sms_secret": "k-1234567", "push_url": "https://n.example",
        "push_token": "", "webhook_hosts": "hooks.example, b.example:8443", "drill_hour": "6",
    }  # fmt: skip
    assert ada.submit(url, form).status_code == 303
    shown = text(ada, url)
    assert "k-1234567" not in shown
    assert "hooks.example b.example:8443" in shown
    assert ada.submit(url, form | {"sms_secret": "", "drill_hour": ""}).status_code == 303
    from silverwatch import keys

    with db.transaction() as session:
        kept = gateways.gateways(session, keys=keys.of(site.config, gateways.GROUP))
    assert (kept.sms_secret, kept.drill_hour) == ("k-1234567", None)
    for wrong in (
        {"push_url": "http://n.example"}, {"sms_kind": "pigeon"}, {"webhook_hosts": "https://x"},
        {"drill_hour": "24"}, {"sms_user": ""}, {"sms_url": "https://user@x.example"},
    ):  # fmt: skip
        assert ada.submit(url, form | wrong).status_code == 422
    assert "k-1234567" not in str(site.rows("SELECT detail FROM audit_entry"))


def test_a_drill_is_begun_once_and_shown(site: Site, cast: Cast, ada: CheckedClient) -> None:
    form = {"ward": str(cast.achieng.ward_id)}
    assert ada.submit("/admin/drills", form).status_code == 303
    assert ada.submit("/admin/drills", form).status_code == 422
    with db.transaction() as session:
        drills.watch(session, now=clock.now())
    page = text(ada, "/admin/drills")
    assert "Running" in page
    assert "Test alarm stored" in page
    with db.transaction() as session:
        drills.watch(session, now=clock.now() + timedelta(minutes=3))
    assert "Failed" in text(ada, "/admin/drills")  # no guard took a step
    assert site.row("SELECT closed_as FROM alert WHERE kind = 'drill'")[0] == "ended"
    with db.transaction() as session:
        assert session.get_one(Account, site.row("SELECT begun_by FROM drill")[0]).role == "admin"
