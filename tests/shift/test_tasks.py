"""Tasks: done once, repeated, undone, cancelled."""

from datetime import timedelta

import pytest

from silverwatch import clock, db
from silverwatch.domain.alerts import rounds
from silverwatch.domain.errors import ConflictError
from silverwatch.domain.records import tasks
from tests.cast import Cast, People
from tests.checked import CheckedClient
from tests.conftest import Site
from tests.duty.crew import actor_of, join
from tests.shift.ward import add_task

PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}


def test_what_repeats_is_due_again_after_it_was_done(
    site: Site, cast: Cast, people: People, amina: CheckedClient
) -> None:
    task = add_task(actor_of(people.amina), cast.achieng.patient_id, due=-timedelta(hours=1), repeat_h=2)
    for _ in range(2):
        assert amina.submit(f"/tasks/{task}/completion", {"note": "left side"}).status_code == 303
    done_at, note = site.row("SELECT done_at, note FROM task WHERE id = %s", task)
    assert note == "left side"
    assert site.rows("SELECT due_at, repeat_h FROM task WHERE follows = %s", task) == [
        (done_at + timedelta(hours=2), 2)
    ]
    assert site.row("SELECT count(*) FROM audit_entry WHERE action = 'task.done'") == (1,)


def test_undo_takes_the_successor_back(site: Site, cast: Cast, people: People, amina: CheckedClient) -> None:
    task = add_task(actor_of(people.amina), cast.achieng.patient_id, repeat_h=4)
    amina.submit(f"/tasks/{task}/completion")
    assert amina.submit(f"/tasks/{task}/reopening").status_code == 303
    assert site.row("SELECT count(*), count(done_at) FROM task") == (1, 0)
    assert site.row("SELECT count(*) FROM audit_entry WHERE action = 'task.reopened'") == (1,)


def test_who_may_undo(site: Site, cast: Cast, people: People) -> None:
    amina, nia = actor_of(people.amina), join("Nia", cast.achieng.ward_id)
    task_id = add_task(amina, cast.achieng.patient_id, repeat_h=1)
    now = clock.now()
    with db.transaction() as session:
        task = rounds.task_for(session, amina, task_id, now=now, lock=True)
        tasks.complete(session, amina, task, now=now)
        with pytest.raises(ConflictError, match="Only who did a task"):
            tasks.reopen(session, nia, task, now=now)
        with pytest.raises(ConflictError, match="within an hour"):
            tasks.reopen(session, amina, task, now=now + tasks.UNDO)
    again = site.row("SELECT id FROM task WHERE follows = %s", task_id)[0]
    with db.transaction() as session:
        follower = rounds.task_for(session, nia, again, now=now, lock=True)
        tasks.complete(session, nia, follower, now=now)
        task = rounds.task_for(session, amina, task_id, now=now, lock=True)
        with pytest.raises(ConflictError, match="done again meanwhile"):
            tasks.reopen(session, amina, task, now=now)


def test_cancelling_needs_a_reason_and_ends_it(
    site: Site, cast: Cast, people: People, amina: CheckedClient
) -> None:
    task = add_task(actor_of(people.amina), cast.achieng.patient_id, repeat_h=4)
    wrong = amina.submit(f"/tasks/{task}/cancellation", {"because": "x"})
    assert wrong.status_code == 422
    assert "Say why in 3 to 200 characters" in wrong.get_data(as_text=True)
    assert amina.submit(f"/tasks/{task}/cancellation", {"because": "Goes home"}).status_code == 303
    assert amina.submit(f"/tasks/{task}/completion").status_code == 409
    assert site.row("SELECT count(*), count(done_at) FROM task") == (1, 0)
    assert "cancelled" in amina.get(f"/tasks/{task}").get_data(as_text=True)


def test_adding_a_task(site: Site, cast: Cast, people: People, amina: CheckedClient) -> None:
    url = f"/patients/{cast.achieng.patient_id}/tasks"
    assert "Nothing is to be done" in amina.get(url).get_data(as_text=True)
    form = str(clock.new_id())
    fields = {"form_id": form, "what": "Change  the dressing", "when": "at", "at": "14:30", "repeat": "8"}
    for _ in range(2):
        assert amina.submit(url, fields).status_code == 303
    what, due_at, repeat_h = site.row("SELECT what, due_at, repeat_h FROM task")
    assert (what, repeat_h, due_at.strftime("%H:%M")) == (
        "Change the dressing",
        8,
        "11:30",
    )  # Nairobi is UTC+3
    assert timedelta(0) < due_at - clock.now() <= timedelta(days=1)
    assert "Change the dressing" in amina.get(url).get_data(as_text=True)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"when": "60"}, "Say what is to be done."),
        ({"what": "x" * 201, "when": "60"}, "Say it in 200 characters."),
        ({"what": "Turn", "when": "5"}, "Choose when it is due."),
        ({"what": "Turn", "when": "at", "at": "25:99"}, "Enter the time that it is due"),
        ({"what": "Turn", "when": "60", "repeat": "5"}, "Choose how often from the list."),
    ],
)
def test_a_task_that_is_not_whole_says_what_to_do(
    site: Site, cast: Cast, people: People, amina: CheckedClient, fields: dict[str, str], said: str
) -> None:
    answer = amina.submit(f"/patients/{cast.achieng.patient_id}/tasks", fields)
    assert answer.status_code == 422
    assert said in answer.get_data(as_text=True)
    assert site.row("SELECT count(*) FROM task") == (0,)


def test_a_tick_answers_the_region_of_its_page(
    site: Site, cast: Cast, people: People, amina: CheckedClient
) -> None:
    actor = actor_of(people.amina)
    for page, region in (("/shift", "shift"), ("/rounds", "rounds"), ("/rounds/a", "ward-rounds")):
        task = add_task(actor, cast.achieng.patient_id)
        answer = amina.submit(
            f"/tasks/{task}/completion",
            headers=PARTIAL | {"HX-Current-URL": f"http://localhost{page}"},
        )
        text = answer.get_data(as_text=True)
        assert f'hx-target="#{region}-' in text
        assert f"undo-{task}" in text


def test_a_task_elsewhere_is_like_none(site: Site, cast: Cast, people: People, bruno: CheckedClient) -> None:
    task = add_task(actor_of(people.amina), cast.achieng.patient_id)
    foreign, missing = (bruno.get(f"/tasks/{known}") for known in (task, clock.new_id()))
    assert foreign.status_code == missing.status_code == 404
    assert foreign.data == missing.data
    for verb in ("completion", "reopening", "cancellation"):
        assert bruno.submit(f"/tasks/{task}/{verb}", {"because": "not mine"}).status_code == 404
    assert site.row("SELECT done_at, cancelled_at FROM task") == (None, None)
