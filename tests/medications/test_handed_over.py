"""Medications in the handover, and after a patient has come again."""

from datetime import timedelta

from silverwatch import clock
from tests.cast import Cast
from tests.checked import CheckedClient
from tests.conftest import Site
from tests.medications.steps import add, form, local, needed, sent_in, url


def test_the_sheet_says_what_was_not_recorded_and_what_was_given_as_needed(
    site: Site, cast: Cast, amina: CheckedClient
) -> None:
    begun = clock.now() - timedelta(hours=2)
    sent_in(amina, site, cast, form(kind="interval", every_h="24", begins=local(begun), name="Cefazolin"))
    morphine = sent_in(amina, site, cast, needed())
    amina.submit(f"{url(cast, morphine)}/doses", {"form_id": str(clock.new_id())})
    page = amina.get("/handover/a").get_data(as_text=True)
    assert "Doses not recorded: Cefazolin 500 mg" in page
    assert "As needed in 12 h: Morphine 5 mg" in page
    assert amina.submit("/handover/a", {"handover_id": str(clock.new_id())}).status_code == 303
    stored = site.row("SELECT sheet FROM handover")[0]
    lines = [line["medications"] for line in stored["lines"]]
    assert [len(line["waiting"]) for line in lines] == [1, 0]
    assert lines[0]["needed"][0]["name"] == "Morphine"


def test_after_a_new_admission_what_was_entered_before_is_to_be_checked(
    site: Site, cast: Cast, amina: CheckedClient
) -> None:
    add(amina, site, cast)
    assert "Entered before this admission" not in amina.get(url(cast)).get_data(as_text=True)
    with site.cursor() as cur:
        for statement in (
            "UPDATE medication_version SET at = at - interval '2 days', from_at = from_at - interval '2 days'",
            "UPDATE medication SET added_at = added_at - interval '2 days'",
            "UPDATE stay SET during = tstzrange(lower(during), now() - interval '1 day') WHERE patient_id = %(who)s",
            "INSERT INTO stay (id, patient_id, bed_id, during) VALUES (%(id)s, %(who)s, %(bed)s,"
            " tstzrange(now() - interval '1 hour', NULL))",
        ):
            cur.execute(
                statement.encode(),
                {"who": cast.achieng.patient_id, "bed": cast.achieng.bed_id, "id": clock.new_id()},
            )
    page = amina.get(url(cast)).get_data(as_text=True)
    assert "Entered before this admission" in page
    assert "<b>Paracetamol tablets</b>" in page
