"""One's own photo: sent, refused, shown to whom it may be shown, and taken away."""

import re
from io import BytesIO
from typing import Any
from uuid import uuid4

from PIL import Image

from silverwatch.domain.accounts import photos
from tests.cast import People
from tests.checked import CheckedClient
from tests.conftest import Site
from tests.web.account_steps import audited, id_of, signed_in


def picture(kind: str = "JPEG", colour: str = "#204060", size: tuple[int, int] = (300, 400)) -> BytesIO:
    """A photo as a file."""
    file = BytesIO()
    Image.new("RGB", size, colour).save(file, kind)
    return BytesIO(file.getvalue())


def send(browser: CheckedClient, file: BytesIO | None = None, name: str = "me.jpg") -> Any:
    """Send a photo."""
    answer = browser.submit("/profile/photo", {"photo": (file or picture(), name)})
    # The test client keeps a large body in a temporary file and leaves it open.
    answer.request.environ["wsgi.input"].close()
    return answer


def test_a_photo_is_drawn_anew_and_shown(site: Site, people: People) -> None:
    browser, account_id = signed_in(site, people.amina), id_of(site, people.amina)
    assert send(browser, picture("PNG", "#aa3311"), "evil.svg").location == "/profile?saved=1"
    page = browser.get("/ward/a").get_data(as_text=True)
    found = re.search(rf'class="avatar" src="(/accounts/{account_id}/photo\?v=\d+)"', page)
    assert found
    answer = browser.get(found[1])
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Disposition"] == 'inline; filename="photo.jpg"'
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "no-store"
    image = Image.open(BytesIO(answer.data))
    assert (image.format, image.size) == ("JPEG", (256, 256))
    assert [row[0] for row in audited(site, "photo.changed")] == ["done"]
    send(browser)
    assert site.row("SELECT count(*) FROM account_photo")[0] == 1
    assert browser.get(found[1]).data != answer.data


def test_a_photo_can_be_removed(site: Site, people: People) -> None:
    browser, account_id = signed_in(site, people.amina), id_of(site, people.amina)
    send(browser)
    for _ in range(2):
        assert browser.submit("/profile/photo/removal").location == "/profile?saved=1"
    assert browser.get(f"/accounts/{account_id}/photo").status_code == 404
    assert "/photo?v=" not in browser.get("/profile").get_data(as_text=True)
    assert len(audited(site, "photo.removed")) == 1


def test_staff_see_colleagues_and_nobody_else_sees_anybody(site: Site, people: People) -> None:
    everybody = (people.amina, people.bruno, people.tekla, people.ada, people.patience)
    browsers = {email: signed_in(site, email) for email in everybody}
    for browser in browsers.values():
        assert send(browser).status_code == 303
    for reader, browser in browsers.items():
        nobody = browser.get(f"/accounts/{uuid4()}/photo")
        assert nobody.status_code == 404
        for whose in everybody:
            answer = browser.get(f"/accounts/{id_of(site, whose)}/photo")
            if reader == whose or people.patience not in (reader, whose):
                assert answer.status_code == 200, (reader, whose)
            else:
                assert (answer.status_code, answer.data) == (404, nobody.data), (reader, whose)
    assert len(audited(site, "access.refused")) == 5 + 4 * 2


NO_PHOTOS = [
    (b"", "Choose a photo first."),
    (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a JPEG or PNG"),
    (picture("GIF").getvalue(), "not a JPEG or PNG"),
    (picture("WEBP").getvalue(), "not a JPEG or PNG"),
    (picture().getvalue() + b"PK\x05\x06" + bytes(18), "more than a picture"),
    (picture(size=(900, 900)).getvalue()[:900], "damaged or not complete"),
    (picture().getvalue() + bytes(5 * 1024 * 1024), "larger than 5 MB"),
    (picture("PNG", size=(5001, 5000)).getvalue(), "25 million pixels"),
]


def test_a_file_that_is_no_photo_is_refused_with_advice(site: Site, people: People) -> None:
    browser = signed_in(site, people.amina)
    for data, advice in NO_PHOTOS:
        answer = send(browser, BytesIO(data))
        page = answer.get_data(as_text=True)
        assert answer.status_code == 422, advice
        assert advice in page
        assert 'href="#photo"' in page
    assert site.rows("SELECT 1 FROM account_photo") == []
    assert [row[0] for row in audited(site, "photo.changed")] == ["refused"] * len(NO_PHOTOS)


def test_what_is_far_too_large_is_not_read(site: Site, people: People) -> None:
    answer = send(signed_in(site, people.amina), BytesIO(bytes(7 * 1024 * 1024)))
    assert answer.status_code == 413


def test_photos_cannot_be_sent_all_day(site: Site, people: People) -> None:
    browser = signed_in(site, people.amina)
    token = browser.token()
    data = {"csrf_token": token, "photo": "none"}
    codes = [browser.post("/profile/photo", data=data).status_code for _ in range(photos.UPLOADS.tries + 1)]
    assert codes == [422] * photos.UPLOADS.tries + [429]
    assert send(signed_in(site, people.bruno)).status_code == 303


def test_a_photo_is_not_for_other_sites_and_no_sign_of_life(site: Site, people: People) -> None:
    browser, account_id = signed_in(site, people.amina), id_of(site, people.amina)
    send(browser)
    path = f"/accounts/{account_id}/photo"
    assert browser.get(path, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 404
    with site.cursor() as cur:
        cur.execute(b"UPDATE login_session SET active_at = active_at - interval '10 minutes'")
    before = site.row("SELECT active_at FROM login_session")
    assert browser.get(path, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 200
    assert site.row("SELECT active_at FROM login_session") == before
    browser.get("/profile")
    assert site.row("SELECT active_at FROM login_session") > before
