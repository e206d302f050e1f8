"""Wards and their beds."""

from uuid import UUID

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from silverwatch.db import Base


class Ward(Base):
    """A ward. `slug` is its name in addresses."""

    __tablename__ = "ward"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    description: Mapped[str]


class Bed(Base):
    """A bed of a ward; `position` is its place on the board, which never moves by itself."""

    __tablename__ = "bed"
    __table_args__ = (UniqueConstraint("ward_id", "label"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    ward_id: Mapped[UUID] = mapped_column(ForeignKey("ward.id"), index=True)
    label: Mapped[str]
    position: Mapped[int]
