"""Where judging stands, as it is stored: the newest checkpoint of each patient and older ones for late readings."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import text
from sqlalchemy.orm import Session

from silverwatch.domain.alerts import scoring
from silverwatch.domain.alerts.folding import Fold


def store(session: Session, folds: Sequence[Fold]) -> None:
    """Store the new checkpoints and scores; these patients no longer wait, but for the rest of a backlog."""
    rows = [
        {
            "patient": fold.patient_id,
            "seq": fold.seq,
            "checkpoint": msgspec.json.encode(fold.checkpoint).decode(),
            "at": fold.checkpoint.at,
            "news": msgspec.json.encode(scoring.news(fold)).decode(),
            "rest": fold.rest_from,
        }
        for fold in folds
    ]
    session.execute(
        text(
            "INSERT INTO judge_state (patient_id, checkpoint, checkpoint_at, news)"
            " VALUES (:patient, CAST(:checkpoint AS jsonb), :at, CAST(:news AS jsonb))"
            " ON CONFLICT (patient_id) DO UPDATE SET checkpoint = excluded.checkpoint,"
            " checkpoint_at = excluded.checkpoint_at, news = excluded.news"
        ),
        rows,
    )
    session.execute(
        text(
            # What is judged is also to be rolled up: noted on the row that is written anyway.
            "UPDATE vital_state SET evaluated_seq = :seq, unjudged_from = :rest,"
            " unrolled_from = least(unrolled_from, unjudged_from),"
            " unjudged_since = CASE WHEN CAST(:rest AS timestamptz) IS NULL THEN NULL ELSE unjudged_since END"
            " WHERE patient_id = :patient"
        ),
        rows,
    )
    _keep_older(session, folds)


def _keep_older(session: Session, folds: Sequence[Fold]) -> None:
    stale = [{"patient": fold.patient_id, "since": fold.start} for fold in folds if fold.refolded]
    if stale:
        session.execute(text("DELETE FROM checkpoint WHERE patient_id = :patient AND at > :since"), stale)
    kept = [
        {"patient": fold.patient_id, "at": point.at, "state": msgspec.json.encode(point).decode()}
        for fold in folds
        for point in fold.kept
    ]
    if kept:
        session.execute(
            text(
                "INSERT INTO checkpoint (patient_id, at, state) VALUES (:patient, :at, CAST(:state AS jsonb))"
                " ON CONFLICT (patient_id, at) DO UPDATE SET state = excluded.state"
            ),
            kept,
        )
