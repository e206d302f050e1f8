"""Goals of a care plan: set, changed, followed, ended; tasks that are done for them."""

from datetime import timedelta
from uuid import UUID

import pytest
from psycopg.errors import ForeignKeyViolation

from silverwatch import clock, db
from silverwatch.domain.errors import ConflictError
from silverwatch.domain.records import goals, tasks
from silverwatch.domain.records.goals import GoalText
from tests.cast import Cast, People
from tests.checked import CheckedClient
from tests.conftest import Site
from tests.duty.crew import actor_of, join
from tests.jobs.posting import judge, post
from tests.shift.ward import counted

WALKS = {
    "what": "Walks to the  bathroom with one person",
    "by": "words",
    "measure": "Distance",
    "wanted": "10 m",
}


def set_goal(browser: CheckedClient, patient_id: UUID, **fields: str) -> UUID:
    """A goal, set with the form."""
    form_id = clock.new_id()
    answer = browser.submit(
        f"/patients/{patient_id}/plan/goals", {"form_id": str(form_id), **(fields or WALKS)}
    )
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return form_id


def plan(browser: CheckedClient, patient_id: UUID) -> str:
    """The page of the care plan."""
    return browser.get(f"/patients/{patient_id}/plan").get_data(as_text=True)


def test_an_empty_plan_names_the_next_action(cast: Cast, amina: CheckedClient) -> None:
    text = plan(amina, cast.achieng.patient_id)
    assert "No goal is open." in text
    assert "Set a goal" in text


def test_a_goal_is_set_once_however_often_it_is_sent(site: Site, cast: Cast, amina: CheckedClient) -> None:
    patient, form = cast.achieng.patient_id, str(clock.new_id())
    for _ in range(2):
        assert amina.submit(f"/patients/{patient}/plan/goals", {"form_id": form, **WALKS}).status_code == 303
    assert site.row("SELECT what, measure, wanted, version FROM goal_version") == (
        "Walks to the bathroom with one person", "Distance", "10 m", 1,
    )  # fmt: skip
    assert site.row("SELECT count(*) FROM audit_entry WHERE action = 'goal.set'") == (1,)
    text = plan(amina, patient)
    assert "Walks to the bathroom with one person" in text
    assert "Distance: 10 m" in text
    assert "Set by Amina" in text


def test_a_vital_has_its_target_and_its_present_value_in_the_units_of_the_reader(
    site: Site, cast: Cast, people: People, amina: CheckedClient
) -> None:
    patient = cast.achieng.patient_id
    post(site, cast.achieng.key, [(0.5, {"temperature": 38.5})])
    judge()
    fields = {
        "what": "No fever",
        "by": "vital",
        "vital": "temperature",
        "sign": "<=",
        "target": "100,4",
        "units": "F|kg|mmHg|mmol/L",
    }
    goal = set_goal(amina, patient, **fields)
    assert site.row("SELECT vital, sign, target FROM goal_version") == ("temperature", "<=", 38.0)
    text = plan(amina, patient)
    assert "at most 38.0 °C" in text
    assert "38.5 °C" in text
    units = {"temperature": "F", "weight": "kg", "pressure": "mmHg", "glucose": "mmol/L"}
    assert amina.submit("/profile/units", units).status_code == 303
    assert "at most 100.4 °F" in plan(amina, patient)
    # Saved again as it stands: what the unit rounds is no change.
    page = amina.get(f"/patients/{patient}/plan/goals/{goal}/change").get_data(as_text=True)
    assert 'value="100.4"' in page
    again = {**fields, "target": "100.4", "seen": "1"}
    assert amina.submit(f"/patients/{patient}/plan/goals/{goal}/change", again).status_code == 303
    assert site.row("SELECT count(*) FROM goal_version") == (1,)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"by": ""}, "Say what is to be reached"),
        ({"what": "x" * 201}, "Say it in 200 characters."),
        ({"what": "Walks", "by": "magic"}, "Choose how it is measured."),
        ({"what": "Walks", "by": "words"}, "Say by what you see how far it is."),
        ({"what": "Walks", "by": "vital", "vital": "luck", "target": "1"}, "Choose a value from the list."),
        ({"what": "Walks", "by": "vital", "vital": "pain", "sign": "<", "target": "3"}, "Choose at least"),
        ({"what": "Walks", "by": "vital", "vital": "pain", "sign": "<=", "target": "low"}, "Enter the target"),
        ({"what": "Walks", "by": "vital", "vital": "pain", "sign": "<=", "target": "11"}, "from 0 to 10"),
        ({"what": "Walks", "target_on": "2020-01-01"}, "Enter a day from today on"),
        ({"what": "Walks", "target_on": "tomorrow"}, "Enter a day from today on"),
    ],
)  # fmt: skip
def test_a_goal_that_is_not_whole_says_what_to_do(
    site: Site, cast: Cast, amina: CheckedClient, fields: dict[str, str], said: str
) -> None:
    answer = amina.submit(f"/patients/{cast.achieng.patient_id}/plan/goals", fields)
    assert answer.status_code == 422
    assert said in answer.get_data(as_text=True)
    assert site.row("SELECT count(*) FROM goal") == (0,)


def test_a_change_keeps_what_was_before(site: Site, cast: Cast, people: People, amina: CheckedClient) -> None:
    patient = cast.achieng.patient_id
    goal = set_goal(amina, patient)
    url = f"/patients/{patient}/plan/goals/{goal}"
    further = {**WALKS, "wanted": "20 m", "seen": "1"}
    assert amina.submit(f"{url}/change", further).status_code == 303
    assert site.rows("SELECT version, wanted FROM goal_version ORDER BY 1") == [(1, "10 m"), (2, "20 m")]
    page = amina.get(url).get_data(as_text=True)
    assert "1 earlier version" in page
    assert "Distance: 10 m" in page
    late = amina.submit(f"{url}/change", {**WALKS, "wanted": "5 m", "seen": "1"})
    assert late.status_code == 422
    assert "changed meanwhile" in late.get_data(as_text=True)


def test_progress_has_its_writer_and_is_written_once(site: Site, cast: Cast, amina: CheckedClient) -> None:
    patient = cast.achieng.patient_id
    url = f"/patients/{patient}/plan/goals/{set_goal(amina, patient)}"
    form = str(clock.new_id())
    for _ in range(2):
        sent = amina.submit(f"{url}/progress", {"form_id": form, "text": "Two steps with Nia"})
        assert sent.status_code == 303
    assert site.row("SELECT text FROM goal_progress") == ("Two steps with Nia",)
    assert "Two steps with Nia" in plan(amina, patient)
    empty = amina.submit(f"{url}/progress", {"text": " "})
    assert empty.status_code == 422
    assert "Write how far it is." in empty.get_data(as_text=True)
    assert amina.submit(f"{url}/progress", {"text": "x" * 1001}).status_code == 422


def test_progress_that_is_wrong_is_struck_out_once_and_stays_readable(
    site: Site, cast: Cast, people: People, amina: CheckedClient
) -> None:
    patient = cast.achieng.patient_id
    goal, other, form = set_goal(amina, patient), set_goal(amina, patient), str(clock.new_id())
    url = f"/patients/{patient}/plan/goals/{goal}"
    amina.submit(f"{url}/progress", {"form_id": form, "text": "Ran a mile"})
    strike = f"{url}/progress/{form}/strike-out"
    assert strike in amina.get(url).get_data(as_text=True)
    assert amina.get(strike).status_code == 200
    empty = amina.submit(strike, {"because": " "})
    assert empty.status_code == 422
    assert "Say why in" in empty.get_data(as_text=True)
    for why in ("Another patient's", "Said again"):
        assert amina.submit(strike, {"because": why}).status_code == 303
    page = amina.get(url).get_data(as_text=True)
    assert '<s class="said">Ran a mile</s>' in page
    assert "Another patient&#39;s" in page
    assert "Said again" not in page
    assert strike not in page
    assert site.row("SELECT count(*) FROM audit_entry WHERE action = 'goal.progress_struck'") == (1,)
    for path in (strike.replace(str(goal), str(other)), strike.replace(form, str(goal)),
                 strike.replace(str(patient), str(cast.chebet.patient_id))):  # fmt: skip
        assert amina.get(path).status_code == 404, path
        assert amina.submit(path, {"because": "Not mine to say"}).status_code == 404, path


@pytest.mark.parametrize("cancel", [True, False])
def test_a_goal_ends_with_a_word_and_a_reason(
    site: Site, cast: Cast, people: People, amina: CheckedClient, cancel: bool
) -> None:
    patient = cast.achieng.patient_id
    goal = set_goal(amina, patient)
    url = f"/patients/{patient}/plan/goals/{goal}"
    amina.submit(f"/patients/{patient}/tasks", {"what": "Walk to the chair", "when": "60", "goal": str(goal)})
    wrong = amina.submit(f"{url}/end", {"ended_as": "won", "because": "x"})
    assert wrong.status_code == 422
    assert "Choose how it ends." in wrong.get_data(as_text=True)
    assert "Say why in 3 to 300 characters." in wrong.get_data(as_text=True)
    fields = {"ended_as": "partly_met", "because": "Walks 8 m"} | ({"cancel_tasks": "yes"} if cancel else {})
    for _ in range(2):
        assert amina.submit(f"{url}/end", fields).status_code == 303
    assert site.row("SELECT ended_as, ended_because FROM goal") == ("partly_met", "Walks 8 m")
    assert site.row("SELECT cancelled_because FROM task") == ("Its goal has ended." if cancel else None,)
    assert site.row("SELECT count(*) FROM audit_entry WHERE action = 'goal.ended'") == (1,)
    text = plan(amina, patient)
    assert "1 ended goal" in text
    assert "Partly met" in text
    for verb, sent in (("change", {**WALKS, "seen": "1"}), ("progress", {"text": "More"})):
        assert amina.submit(f"{url}/{verb}", sent).status_code == 409


def test_a_task_is_done_for_its_goal_also_when_it_repeats(
    site: Site, cast: Cast, people: People, amina: CheckedClient
) -> None:
    patient = cast.achieng.patient_id
    goal = set_goal(amina, patient)
    page = amina.get(f"/patients/{patient}/tasks?goal={goal}").get_data(as_text=True)
    assert f'value="{goal}" selected' in page
    fields = {"what": "Walk to the chair", "when": "60", "repeat": "4", "goal": str(goal)}
    answer = amina.submit(f"/patients/{patient}/tasks", fields)
    assert answer.headers["Location"].endswith(f"/plan#goal-{goal}")
    task = site.row("SELECT id FROM task")[0]
    assert amina.submit(f"/tasks/{task}/completion").status_code == 303
    assert site.rows("SELECT goal_id FROM task") == [(goal,), (goal,)]
    text = plan(amina, patient)
    assert text.count("Walk to the chair") >= 2


def test_a_task_names_only_an_open_goal_of_its_patient(
    site: Site, cast: Cast, people: People, amina: CheckedClient
) -> None:
    mine, theirs = cast.achieng.patient_id, cast.baraka.patient_id
    goal = set_goal(amina, theirs)
    for wrong in (str(goal), str(clock.new_id()), "none"):
        answer = amina.submit(f"/patients/{mine}/tasks", {"what": "Walk", "when": "60", "goal": wrong})
        assert answer.status_code == 422
        assert "Choose a goal that is open, or none." in answer.get_data(as_text=True)
    with pytest.raises(ForeignKeyViolation), site.cursor() as cur:
        cur.execute(
            "INSERT INTO task (id, patient_id, what, due_at, added_at, added_by, goal_id)"
            " VALUES (%s, %s, 'Walk', now(), now(), %s, %s)",
            (clock.new_id(), mine, actor_of(people.amina).account_id, goal),
        )


def test_what_is_not_of_the_ward_is_like_none(
    site: Site, cast: Cast, people: People, amina: CheckedClient, bruno: CheckedClient
) -> None:
    mine, other = cast.achieng.patient_id, cast.baraka.patient_id
    goal = set_goal(amina, mine)
    assert bruno.get(f"/patients/{mine}/plan").status_code == 404
    assert bruno.get(f"/patients/{mine}/plan/goals/{goal}").status_code == 404
    assert bruno.submit(f"/patients/{mine}/plan/goals/{goal}/progress", {"text": "Hello"}).status_code == 404
    # The goal of one patient under the address of another one.
    url = f"/patients/{other}/plan/goals/{goal}"
    assert amina.get(url).status_code == 404
    assert amina.submit(f"{url}/end", {"ended_as": "met", "because": "Done"}).status_code == 404


def test_two_who_change_a_goal_at_once(site: Site, cast: Cast, people: People) -> None:
    amina, nia = actor_of(people.amina), join("Nia", cast.achieng.ward_id)
    goal_id, now, patient = clock.new_id(), clock.now(), cast.achieng.patient_id
    with db.transaction() as session:
        goals.set_goal(
            session, amina, goal_id=goal_id, patient_id=patient, says=GoalText(what="Eats"), now=now
        )
    with db.transaction() as session:
        locked = goals.lock_open(session, patient, goal_id)
        assert goals.change(session, nia, locked, seen=1, says=GoalText(what="Eats alone"), now=now)
        assert not goals.change(session, amina, locked, seen=1, says=GoalText(what="Eats alone"), now=now)
        with pytest.raises(ConflictError, match="changed meanwhile"):
            goals.change(session, amina, locked, seen=1, says=GoalText(what="Eats half"), now=now)


def test_many_goals_take_as_many_statements_as_one(
    site: Site, cast: Cast, people: People, amina: CheckedClient
) -> None:
    actor, now, patient = actor_of(people.amina), clock.now(), cast.achieng.patient_id

    def add(count: int) -> None:
        with db.transaction() as session:
            for number in range(count):
                goal_id = clock.new_id()
                says = GoalText(what=f"Goal {number}")
                goals.set_goal(session, actor, goal_id=goal_id, patient_id=patient, says=says, now=now)
                tasks.add(
                    session, actor, task_id=clock.new_id(), patient_id=patient, what="Walk", repeat_h=None,
                    due_at=now + timedelta(hours=1), goal_id=goal_id, now=now,
                )  # fmt: skip

    def statements() -> int:
        with counted() as found:
            plan(amina, patient)
        return len(found)

    add(1)
    statements()  # the first look of a session also notes that somebody is there
    few = statements()
    add(12)
    assert statements() == few
