"""Columns of levels that follow what becomes of cases, as `tables.py` had them when they came."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Float

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; nothing is known of a level so far."""
    op.add_column("model", Column("level", Float(53), nullable=True))
    op.add_column("model", Column("level_us", BigInteger, nullable=True))
    for table in ("risk", "risk_past"):
        op.add_column(table, Column("p_learnt", Float(53), nullable=True))
