"""Which units an account has chosen."""

from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from silverwatch.domain.accounts.models import UnitChoice
from silverwatch.domain.readings.units import STORED, Units


def units_of(session: Session, account_id: UUID) -> Units:
    """The units of this person; those that are stored until another choice."""
    row = session.get(UnitChoice, account_id)
    if row is None:
        return STORED
    return Units(temperature=row.temperature, weight=row.weight, pressure=row.pressure, glucose=row.glucose)


def choose(session: Session, account_id: UUID, units: Units) -> None:
    """Keep the choice."""
    values = {
        "temperature": units.temperature,
        "weight": units.weight,
        "pressure": units.pressure,
        "glucose": units.glucose,
    }
    query = insert(UnitChoice).values(account_id=account_id, **values)
    session.execute(query.on_conflict_do_update(index_elements=["account_id"], set_=values))
