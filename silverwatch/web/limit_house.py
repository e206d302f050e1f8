"""Setting the limits of a ward and of the site: the same steps, whoever's page it is."""

from dataclasses import dataclass

from flask import Response, make_response, redirect, request
from sqlalchemy.orm import Session

from silverwatch import clock, db
from silverwatch.domain import audit
from silverwatch.domain.alerts import limit_replay, limit_versions, limit_views
from silverwatch.domain.alerts.limit_cells import Settings
from silverwatch.domain.alerts.limit_proposal import LimitsError, Proposal, Scope
from silverwatch.domain.alerts.limit_reach import reach
from silverwatch.domain.errors import ConflictError
from silverwatch.web import limit_forms, login, pages
from silverwatch.web.limit_forms import OF_HOUSE, LimitForm


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """Whose limits they are, under which address, and where one came from. `after`: where they stand to be read;
    `above`: whose limits it inherits; `wards`: (name, address) of wards that may set others."""

    scope: Scope
    title: str
    name: str
    url: str
    back: str
    back_text: str
    after: str
    above: str
    wards: tuple[tuple[str, str], ...] = ()


def table(house: House, *, change_url: str | None) -> Response:
    """What applies, and what was changed, to be read."""
    now = clock.now()
    with db.transaction(read_only=True) as session:
        rows = limit_views.limit_rows(session, house.scope, now=now)
        history = limit_views.changes_of(session, house.scope)
    return pages.answer(
        "limits/table.html",
        house.title,
        house=house,
        rows=rows,
        history=history,
        change_url=change_url,
        saved="saved" in request.args,
        now=now,
    )


def editor(house: House) -> Response:
    """The form as it is opened; `?from=3`: with what was set by the third change."""
    return _page(house, again=limit_forms.whole(request.args.get("from", "")))


def submitted(house: House) -> Response:
    """Show what would change and what it would have done; once that is confirmed, set it."""
    sent, now = request.form, clock.now()
    with db.transaction(read_only=True) as session:
        found = limit_versions.present(session, house.scope, now=now)
    form, wanted = limit_forms.read(sent, found, OF_HOUSE)
    # They stand until they are changed: a house has no end to choose.
    form.lasts = ""
    if sent.get("undo") or sent.get("edit"):
        return _page(house, form=form, undo=sent.get("undo"))
    proposal = limit_versions.proposed(found, wanted)
    limit_forms.check(form, proposal, now=now)
    if not form.errors and sent.get("confirmed") == "yes":
        _save(house, form, wanted)
        if not form.errors:
            return make_response(redirect(f"{house.after}?saved=1", 303))
    if form.errors:
        return _page(house, form=form, status=422)
    return _page(house, form=form, proposal=proposal)


def _save(house: House, form: LimitForm, wanted: Settings) -> None:
    try:
        with db.transaction() as session:
            version = limit_versions.change(
                session, house.scope, wanted, by=login.actor().account_id, reason=form.reason, seen=form.seen,
                now=clock.now(),
            )  # fmt: skip
            if version is not None:
                detail = {
                    "layer": house.scope.layer, "name": house.name, "number": version.number,
                    "changes": version.changes,
                }  # fmt: skip
                audit.record(session, "limits.changed", detail=detail)
    except (ConflictError, LimitsError) as error:
        form.errors["form"] = str(error)


def _page(
    house: House,
    *,
    form: LimitForm | None = None,
    proposal: Proposal | None = None,
    undo: str | None = None,
    again: int = 0,
    status: int = 200,
) -> Response:
    now = clock.now()
    with db.transaction(read_only=True) as session:
        rows = limit_views.limit_rows(session, house.scope, now=now)
        present = limit_versions.present(session, house.scope, now=now)
        form = form or limit_forms.first(rows, OF_HOUSE, number=present.number)
        old = limit_versions.settings_at(session, house.scope, again) if again else None
        if old is not None:
            limit_forms.fill(form, limit_versions.with_wanted(present, old))
        elif undo:
            vital = None if undo == "all" else undo
            limit_forms.fill(form, limit_versions.with_wanted(present, {}), vital=vital)
            form.errors.clear()
        history = limit_views.changes_of(session, house.scope)
        replay = _replay(session, proposal) if proposal else None
    return pages.answer(
        "limits/editor.html",
        f"Error: {house.title}" if form.errors else house.title,
        status=status,
        house=house,
        rows=rows,
        form=form,
        lines=proposal.lines() if proposal else (),
        loosened=bool(proposal and proposal.loosened()),
        replay=replay,
        history=history,
        undone=undo,
        saved="saved" in request.args,
        now=now,
    )


def _replay(session: Session, proposal: Proposal) -> limit_replay.Replay:
    now = clock.now()
    return limit_replay.replay(
        session,
        reach(session, proposal, now=now),
        vitals=[line["vital"] for line in proposal.lines()],
        since=now - limit_replay.FORTNIGHT,
        now=now,
        rows=limit_replay.ROWS_OF_MANY,
    )
