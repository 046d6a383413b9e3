"""The tables of people who sign in, as `tables.py` had them when they came: a migration never changes."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, LargeBinary, MetaData, Table, Text, UniqueConstraint

METADATA = MetaData(naming_convention={"uq": "uq_%(table_name)s_%(column_0_N_name)s"})
TEXT = Text().with_variant(Text(collation="C"), "postgresql")
"""Text in the order of code points, as SQLite has it."""

ACCOUNT = Table(
    "account",
    METADATA,
    Column("name", TEXT, primary_key=True),
    Column("role", TEXT, nullable=False),
    Column("password", TEXT, nullable=True),
    Column("issuer", TEXT, nullable=True),
    Column("subject", TEXT, nullable=True),
    Column("created_us", BigInteger, nullable=False),
    Column("off_us", BigInteger, nullable=True),
    UniqueConstraint("issuer", "subject"),
)
INVITATION = Table(
    "invitation",
    METADATA,
    Column("hash", LargeBinary, primary_key=True),
    Column("name", TEXT, nullable=True),
    Column("role", TEXT, nullable=False),
    Column("by", TEXT, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("expires_us", BigInteger, nullable=False),
)
SESSION = Table(
    "session",
    METADATA,
    Column("hash", LargeBinary, primary_key=True),
    Column("account", TEXT, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("expires_us", BigInteger, nullable=False),
)

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    METADATA.create_all(op.get_bind())
