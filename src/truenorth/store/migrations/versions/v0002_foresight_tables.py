"""The tables of foresight, as `tables.py` had them when they came: a migration never changes."""

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


def _number(name: str) -> Column[float]:
    return Column(name, Float(53), nullable=False)


def _bytes(name: str) -> Column[bytes]:
    return Column(name, LargeBinary, nullable=False)


def _rising(name: str = "number") -> Column[int]:
    return Column(name, RISING, primary_key=True, autoincrement=True)


MODEL = Table(
    "model",
    METADATA,
    _text("journey", key=True),
    _text("version", key=True),
    _text("state"),
    _whole("made_us"),
    _whole("live_us", null=True),
    _whole("data_from_us"),
    _whole("data_to_us"),
    _whole("n_cases"),
    _whole("beats"),
    _text("why"),
    _number("threshold"),
    _bytes("sight"),
    _bytes("features"),
    _bytes("metrics"),
    _bytes("blob"),
)
RISK = Table(
    "risk",
    METADATA,
    _text("journey", key=True),
    _text("model", key=True),
    _text("case", key=True),
    _text("customer", null=True),
    _whole("at_us"),
    _whole("position"),
    _number("p_failed"),
    _number("avoidable"),
    _bytes("p"),
    _bytes("p_break"),
    _bytes("remaining_days"),
    _bytes("next"),
    _bytes("why"),
    _bytes("lowers"),
    _whole("alarmed"),
    _whole("n_past"),
    _number("p_past"),
)
Index("ix_risk_avoidable", RISK.c.journey, RISK.c.model, RISK.c.avoidable, RISK.c.case)
Index("ix_risk_customer", RISK.c.customer)
RISK_PAST = Table(
    "risk_past",
    METADATA,
    _text("journey", key=True),
    _text("model", key=True),
    _text("case", key=True),
    _whole("number", key=True),
    _text("customer", null=True),
    _whole("at_us"),
    _whole("position"),
    _number("p_failed"),
    sqlite_with_rowid=False,
)
Index("ix_risk_past_customer", RISK_PAST.c.customer)
MODEL_LOOK = Table(
    "model_look",
    METADATA,
    _rising(),
    _text("journey"),
    _text("version"),
    _whole("at_us"),
    _bytes("body"),
    sqlite_autoincrement=True,
)
Index("ix_model_look_model", MODEL_LOOK.c.journey, MODEL_LOOK.c.version)

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables that are new."""
    METADATA.create_all(op.get_bind())
