"""The table of what journeys are steered by, as `tables.py` had it when it came: a migration never changes."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, MetaData, Table, Text

METADATA = MetaData()
TEXT = Text().with_variant(Text(collation="C"), "postgresql")
"""Text in the order of code points, as SQLite has it."""

STEERING = Table(
    "steering",
    METADATA,
    Column("journey", TEXT, primary_key=True),
    Column("kind", TEXT, primary_key=True),
    Column("text", TEXT, nullable=False),
    Column("by", TEXT, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    METADATA.create_all(op.get_bind())
