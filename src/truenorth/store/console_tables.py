"""The tables of the console: who signs in, what is to become of journeys, what they are steered by."""

from __future__ import annotations

from sqlalchemy import Table, UniqueConstraint

from truenorth.store.columns import METADATA, blob, whole, words

ACCOUNT = Table(
    "account",
    METADATA,
    words("name", key=True),
    words("role"),
    words("password", null=True),
    words("issuer", null=True),
    words("subject", null=True),
    whole("created_us"),
    whole("off_us", null=True),
    UniqueConstraint("issuer", "subject"),
)
INVITATION = Table(
    "invitation",
    METADATA,
    blob("hash", key=True),
    words("name", null=True),
    words("role"),
    words("by"),
    whole("created_us"),
    whole("expires_us"),
)
SESSION = Table(
    "session",
    METADATA,
    blob("hash", key=True),
    words("account"),
    whole("created_us"),
    whole("expires_us"),
)
FATE = Table(
    "fate",
    METADATA,
    words("journey", key=True),
    words("future", key=True),
    words("element", key=True),
    words("fate"),
    words("note"),
    words("by"),
    whole("at_us"),
    sqlite_with_rowid=False,
)
"""Named future states of a journey: what is to become of each of its elements."""
STEERING = Table(
    "steering",
    METADATA,
    words("journey", key=True),
    words("kind", key=True),
    words("text"),
    words("by"),
    whole("at_us"),
    sqlite_with_rowid=False,
)
"""What a journey is steered by: its file of KPIs, its file of initiatives."""
