"""Whoever is shown a patient leaves a trace: every page and fragment there is, opened by a session of its own."""

import pytest

from tests.cast import PASSWORD, Cast, People
from tests.conftest import Site
from tests.jobs.posting import judge, post
from tests.security.objects import OWN, belongings
from tests.security.routes import Visitor, visits
from tests.security.test_attacks_on_audit import held_by_another


def test_every_page_that_names_a_patient_is_in_the_audit(site: Site, cast: Cast, people: People) -> None:
    post(site, cast.achieng.key, [(0.5, {"oxygen_saturation": 72})])
    judge()
    named = []
    for visit in visits(site.app):
        if "GET" not in visit.methods or visit.is_socket or visit.endpoint == "static":
            continue
        visitor = Visitor(site, people, "caregiver")
        objects = belongings(site, cast, people, "caregiver", OWN, visitor)
        before = seen(site, cast)
        answer = visitor.visit(visit, "GET", objects)
        if b"achieng" in answer.get_data().lower():
            named.append(visit.rule)
            # The inbox is two views at once: the list, and the alarm that is chosen.
            assert before < seen(site, cast) <= before + 2, (
                f"{visit.rule} shows a patient and says nothing to the audit"
            )
        answer.close()
    assert "/patients/<uuid:patient_id>" in named
    assert "/ward/<slug>" in named
    assert "/beds/<uuid:subject_id>/tile" in named


def seen(site: Site, cast: Cast) -> int:
    """How many looks at Achieng the audit has."""
    found: int = site.row(
        "SELECT count(*) FROM audit_entry WHERE action = 'record.viewed' AND %s = ANY (patient_ids)",
        cast.achieng.patient_id,
    )[0]
    return found


@pytest.mark.parametrize(
    "path", ["/ward/a", "/patients/{patient_id}", "/patients/{patient_id}/observations/new"]
)
def test_without_the_audit_there_is_no_page(site: Site, cast: Cast, people: People, path: str) -> None:
    """Architecture 5.8. What is open already goes on: test_attacks_on_audit.py."""
    site.client.sign_in(people.amina, PASSWORD)
    url = path.format(patient_id=cast.achieng.patient_id)
    with held_by_another(site, "LOCK TABLE audit_entry IN EXCLUSIVE MODE"):
        answer = site.client.get(url)
    assert answer.status_code == 503
    assert b"achieng" not in answer.get_data().lower()
    assert site.client.get(url).status_code == 200
