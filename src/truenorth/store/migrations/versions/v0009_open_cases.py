"""Open cases by when they opened, to be found among many that have ended."""

from __future__ import annotations

from alembic import op
from sqlalchemy import text

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the index."""
    is_open = text("outcome = 'open'")
    op.create_index(
        "ix_case_row_open", "case_row", ["journey", "opened_us"], sqlite_where=is_open, postgresql_where=is_open
    )
