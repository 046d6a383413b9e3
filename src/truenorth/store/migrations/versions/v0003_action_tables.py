"""The tables of acting, as `tables.py` had them when they came: a migration never changes."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Float, Index, Integer, LargeBinary, MetaData, Table, Text

METADATA = MetaData(
    naming_convention={"ix": "ix_%(column_0_N_label)s", "uq": "uq_%(table_name)s_%(column_0_N_name)s"},
)
TEXT = Text().with_variant(Text(collation="C"), "postgresql")
"""Text in the order of code points, as SQLite has it."""
RISING = BigInteger().with_variant(Integer, "sqlite")
"""SQLite numbers rows by itself in columns of this very type only."""


def _text(name: str, *, null: bool = False, key: bool = False) -> Column[str]:
    return Column(name, TEXT, nullable=null, primary_key=key)


def _whole(name: str, *, null: bool = False, key: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=null, primary_key=key, autoincrement=False)


def _number(name: str, *, null: bool = False) -> Column[float]:
    return Column(name, Float(53), nullable=null)


def _bytes(name: str) -> Column[bytes]:
    return Column(name, LargeBinary, nullable=False)


def _rising(name: str = "number") -> Column[int]:
    return Column(name, RISING, primary_key=True, autoincrement=True)


PERSON = Table(
    "person", METADATA, _text("id", key=True), _text("name"), _text("roles"), _text("teams"), _whole("added_us")
)
"""Who decides: people of the company, not customers."""
TEAM = Table("team", METADATA, _text("name", key=True), _text("roles"), _text("journeys"))
ACCREDITATION = Table(
    "accreditation",
    METADATA,
    _text("person", key=True),
    _text("level", key=True),
    _whole("granted_us"),
    _whole("expires_us", null=True),
    _text("by"),
)
COURSE = Table(
    "course",
    METADATA,
    _text("name", key=True),
    _text("title"),
    _text("level"),
    _text("format"),
    _whole("lasts_us", null=True),
    _whole("valid_us", null=True),
)
COURSE_CLASS = Table(
    "course_class",
    METADATA,
    _rising(),
    _text("course"),
    _whole("starts_us"),
    _whole("seats"),
    sqlite_autoincrement=True,
)
BOOKING = Table(
    "booking", METADATA, _whole("class", key=True), _text("person", key=True), _text("state"), _whole("changed_us")
)

DECISION = Table(
    "decision",
    METADATA,
    _text("id", key=True),
    _text("journey"),
    _text("case"),
    _text("customer", null=True),
    _text("asker"),
    _text("team", null=True),
    _text("origin"),
    _whole("at_us"),
    _text("chosen"),
    _text("taken", null=True),
    _text("channel", null=True),
    _text("state"),
    _whole("expires_us", null=True),
    _number("propensity"),
    _whole("holdout"),
    _whole("value_cents"),
    _whole("cost_cents"),
    _whole("actual_cents", null=True),
    _bytes("record"),
)
Index("ix_decision_case", DECISION.c.journey, DECISION.c.case)
Index("ix_decision_customer", DECISION.c.customer)
Index("ix_decision_team", DECISION.c.team, DECISION.c.state)
Index("ix_decision_at_us", DECISION.c.at_us)
RESERVATION = Table(
    "reservation",
    METADATA,
    _text("account", key=True),
    _text("decision", key=True),
    _text("over"),
    _whole("amount"),
    _whole("until_us", null=True),
    sqlite_with_rowid=False,
)
"""What decisions have taken; what is held until an instant that has passed counts no more."""
Index("ix_reservation_decision", RESERVATION.c.decision)
REACTION = Table(
    "reaction",
    METADATA,
    _rising(),
    _text("decision"),
    _whole("at_us"),
    _text("who"),
    _text("kind"),
    _text("action", null=True),
    _text("reason", null=True),
    _whole("cost_cents", null=True),
    _whole("after_us"),
    sqlite_autoincrement=True,
)
Index("ix_reaction_decision", REACTION.c.decision)
APPROVAL = Table(
    "approval",
    METADATA,
    _rising(),
    _text("decision"),
    _text("action"),
    _text("asked_by"),
    _whole("at_us"),
    _whole("expires_us"),
    _whole("n_needed"),
    _text("state"),
    _text("answers"),
    _text("became", null=True),
    sqlite_autoincrement=True,
)
Index("ix_approval_decision", APPROVAL.c.decision)
STOPPED = Table(
    "stopped",
    METADATA,
    _text("journey", key=True),
    _text("action", key=True),
    _whole("since_us"),
    _text("by"),
    _text("reason"),
)
"""Actions that are switched off: `*` stands for all of a journey, or for all journeys."""

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make all tables."""
    METADATA.create_all(op.get_bind())
