"""Notes: nothing that was written is ever lost, and nobody writes about a patient who is not theirs."""

from uuid import UUID

import pytest

from silverwatch import clock
from tests.cast import PASSWORD, Cast, People
from tests.checked import CheckedClient
from tests.conftest import Site


@pytest.fixture
def path(cast: Cast) -> str:
    """The notes about Achieng."""
    return f"/patients/{cast.achieng.patient_id}/notes"


def write(client: CheckedClient, path: str, text: str, form_id: UUID | None = None) -> UUID:
    """Send the form; gives its id."""
    form_id = form_id or clock.new_id()
    answer = client.submit(path, {"text": text, "form_id": str(form_id), "next": path})
    assert (answer.status_code, answer.location) == (303, path)
    return form_id


def texts(site: Site) -> list[str]:
    """All that was ever written, in order."""
    return [row[0] for row in site.rows("SELECT text FROM note_version ORDER BY at, version")]


def test_a_note_is_shown_with_who_and_when_and_audited(
    site: Site, cast: Cast, amina: CheckedClient, path: str
) -> None:
    write(amina, path, "Breathless at rest.\r\nSat upright. <b>O₂</b> started.")
    page = amina.get(path).get_data(as_text=True)
    assert "Breathless at rest.\nSat upright. &lt;b&gt;O₂&lt;/b&gt; started." in page
    assert "<b>Amina</b>" in page
    for other in (path.removesuffix("/notes"), path.replace("/notes", "/history")):
        assert "Breathless at rest." in amina.get(other).get_data(as_text=True)
    assert site.row("SELECT patient_ids FROM audit_entry WHERE action = 'note.written'") == (
        [cast.achieng.patient_id],
    )
    assert "Breathless" not in str(site.rows("SELECT detail FROM audit_entry"))


def test_a_resend_is_the_same_note_and_another_text_another_one(
    site: Site, amina: CheckedClient, path: str
) -> None:
    form_id = write(amina, path, "Slept well.")
    write(amina, path, "Slept well.", form_id)
    assert texts(site) == ["Slept well."]
    write(amina, path, "Ate well.", form_id)
    assert texts(site) == ["Slept well.", "Ate well."]
    assert site.row("SELECT count(*) FROM audit_entry WHERE action = 'note.written'") == (2,)


def test_a_change_keeps_what_was_written(site: Site, amina: CheckedClient, path: str) -> None:
    note = f"{path}/{write(amina, path, 'O₂ 2 L.')}"
    form = amina.get(f"{note}/change").get_data(as_text=True)
    assert "\nO₂ 2 L.</textarea>" in form
    assert 'name="seen" value="1"' in form
    assert amina.submit(f"{note}/change", {"text": "O₂ 3 L.", "seen": "1"}).status_code == 303
    page = amina.get(path).get_data(as_text=True)
    assert "O₂ 3 L." in page
    assert "O₂ 2 L." in page
    assert "1 earlier version" in page
    again = amina.submit(f"{note}/change", {"text": "O₂ 4 L.", "seen": "1"})
    assert again.status_code == 422
    assert "This note was changed meanwhile." in again.get_data(as_text=True)
    assert amina.submit(f"{note}/change", {"text": "O₂ 3 L.", "seen": "1"}).status_code == 303
    assert texts(site) == ["O₂ 2 L.", "O₂ 3 L."]
    assert site.row("SELECT count(*) FROM audit_entry WHERE action = 'note.changed'") == (1,)


def test_struck_out_it_stays_readable_with_the_reason(site: Site, amina: CheckedClient, path: str) -> None:
    note = f"{path}/{write(amina, path, 'Had a stroke.')}"
    assert amina.submit(f"{note}/strike-out", {"text": " "}).status_code == 422
    assert amina.submit(f"{note}/strike-out", {"text": "Another patient."}).status_code == 303
    assert amina.submit(f"{note}/strike-out", {"text": "Second thought."}).status_code == 303
    page = amina.get(path).get_data(as_text=True)
    assert "<s>Had a stroke.</s>" in page
    assert "Another patient." in page
    assert "Second thought." not in page
    refused = amina.submit(f"{note}/change", {"text": "Had no stroke.", "seen": "1"})
    assert "This note is struck out. Write a new one." in refused.get_data(as_text=True)
    assert texts(site) == ["Had a stroke."]


def test_only_who_wrote_it_changes_it(site: Site, people: People, amina: CheckedClient, path: str) -> None:
    note = f"{path}/{write(amina, path, 'Slept well.')}"
    with site.cursor() as cur:
        cur.execute(
            "INSERT INTO membership (account_id, ward_id) SELECT a.id, w.id FROM account a, ward w"
            " WHERE a.email = %s AND w.slug = 'a'",
            (people.bruno,),
        )
    bruno = site.browser()
    bruno.sign_in(people.bruno, PASSWORD)
    assert f"{note}/change" not in bruno.get(path).get_data(as_text=True)
    answer = bruno.submit(f"{note}/change", {"text": "Slept badly.", "seen": "1"})
    assert (answer.status_code, "Only who wrote a note" in answer.get_data(as_text=True)) == (422, True)
    assert bruno.submit(f"{note}/strike-out", {"text": "Not so."}).status_code == 303
    assert texts(site) == ["Slept well."]


def test_a_note_of_another_patient_is_no_note_of_this_one(
    site: Site, cast: Cast, amina: CheckedClient, path: str
) -> None:
    note_id = write(amina, path, "Slept well.")
    other = f"/patients/{cast.baraka.patient_id}/notes/{note_id}"
    for verb in ("change", "strike-out"):
        assert amina.get(f"{other}/{verb}").status_code == 404
        assert amina.submit(f"{other}/{verb}", {"text": "x", "seen": "1"}).status_code == 404
    assert site.row("SELECT struck_at FROM note") == (None,)


@pytest.mark.parametrize("text", ["", "  \r\n ", "\0", "x" * 4001])
def test_nothing_and_too_much_are_refused_and_kept_in_the_form(
    site: Site, amina: CheckedClient, path: str, text: str
) -> None:
    answer = amina.submit(path, {"text": text})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "There is a problem" in page
    assert ("x" * 4001 in page) == (len(text) > 4000)
    assert texts(site) == []


def test_the_limit_counts_a_line_break_once(site: Site, amina: CheckedClient, path: str) -> None:
    write(amina, path, "x\r\n" * 1999 + "xx")
    assert [len(text) for text in texts(site)] == [4000]


def test_many_notes_come_page_by_page(site: Site, amina: CheckedClient, path: str) -> None:
    for number in range(23):
        write(amina, path, f"Note {number}.")
    first = amina.get(path).get_data(as_text=True)
    assert ("Note 22." in first, "Note 3." in first, "Note 2." in first) == (True, True, False)
    older = first.split('class="more-link"')[1].split('href="')[1].split('"')[0]
    second = amina.get(older).get_data(as_text=True)
    assert ("Note 2." in second, "Note 0." in second, "Note 3." in second) == (True, True, False)
    assert "Older notes" not in second
    assert amina.get(f"{path}?before=nonsense").status_code == 200
