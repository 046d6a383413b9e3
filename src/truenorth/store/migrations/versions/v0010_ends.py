"""Columns of intervals that follow what becomes of cases, as `tables.py` had them when they came."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Float

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; nothing is known of the ends so far, nor of the days that were said."""
    for name in ("ends_low", "ends_high"):
        op.add_column("model", Column(name, Float(53), nullable=True))
    op.add_column("risk_past", Column("days_said", Float(53), nullable=True))
