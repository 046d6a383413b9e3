"""The table of future states, as `tables.py` had it when it came: a migration never changes."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, MetaData, Table, Text

METADATA = MetaData()
TEXT = Text().with_variant(Text(collation="C"), "postgresql")
"""Text in the order of code points, as SQLite has it."""

FATE = Table(
    "fate",
    METADATA,
    Column("journey", TEXT, primary_key=True),
    Column("future", TEXT, primary_key=True),
    Column("element", TEXT, primary_key=True),
    Column("fate", TEXT, nullable=False),
    Column("note", TEXT, nullable=False),
    Column("by", TEXT, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    METADATA.create_all(op.get_bind())
