"""Names of patients, looked for in every page and fragment there is: who may not see them finds none anywhere."""

import pytest

from tests.cast import Cast, People
from tests.conftest import Site
from tests.jobs.posting import judge, post
from tests.security.objects import OWN, belongings
from tests.security.routes import Visitor, visits

NAMES = {"achieng", "baraka", "chebet"}


@pytest.mark.parametrize(
    ("who", "may_see"),
    [
        ("anonymous", set()),
        ("display", set()),
        ("technician", set()),
        ("patient", {"achieng"}),
        ("caregiver", {"achieng", "baraka"}),
    ],
)
def test_no_page_holds_a_name_that_its_reader_may_not_see(
    site: Site, cast: Cast, people: People, who: str, may_see: set[str]
) -> None:
    """Ward A is the visitor's, the record of Achieng the patient's own; a wall screen shows initials."""
    for worn in (cast.achieng, cast.baraka, cast.chebet):
        post(site, worn.key, [(0.5, {"oxygen_saturation": 72})])
    judge()
    visitor, seen = Visitor(site, people, who), set()
    for visit in visits(site.app):
        if "GET" not in visit.methods or visit.is_socket or visit.endpoint == "static":
            continue
        answer = visitor.visit(visit, "GET", belongings(site, cast, people, who, OWN, visitor))
        text = answer.get_data().decode(errors="replace").lower()
        found = {name for name in NAMES if name in text}
        assert found <= may_see, visit.rule
        seen |= found
        answer.close()
    assert who != "caregiver" or seen == may_see, "else this test looks at nothing"
