"""The tables of people who act, of decisions, and of what was learnt from them."""

from __future__ import annotations

from sqlalchemy import Index, Table

from truenorth.store.columns import METADATA, blob, number, rising, whole, words

PERSON = Table(
    "person", METADATA, words("id", key=True), words("name"), words("roles"), words("teams"), whole("added_us")
)
"""Who decides: people of the company, not customers."""
TEAM = Table("team", METADATA, words("name", key=True), words("roles"), words("journeys"))
ACCREDITATION = Table(
    "accreditation",
    METADATA,
    words("person", key=True),
    words("level", key=True),
    whole("granted_us"),
    whole("expires_us", null=True),
    words("by"),
)
COURSE = Table(
    "course",
    METADATA,
    words("name", key=True),
    words("title"),
    words("level"),
    words("format"),
    whole("lasts_us", null=True),
    whole("valid_us", null=True),
)
COURSE_CLASS = Table(
    "course_class",
    METADATA,
    rising(),
    words("course"),
    whole("starts_us"),
    whole("seats"),
    sqlite_autoincrement=True,
)
BOOKING = Table(
    "booking", METADATA, whole("class", key=True), words("person", key=True), words("state"), whole("changed_us")
)

DECISION = Table(
    "decision",
    METADATA,
    words("id", key=True),
    words("journey"),
    words("case"),
    words("customer", null=True),
    words("asker"),
    words("team", null=True),
    words("origin"),
    whole("at_us"),
    words("chosen"),
    words("taken", null=True),
    words("channel", null=True),
    words("state"),
    whole("expires_us", null=True),
    number("propensity"),
    whole("holdout"),
    whole("value_cents"),
    whole("cost_cents"),
    whole("actual_cents", null=True),
    blob("record"),
)
Index("ix_decision_case", DECISION.c.journey, DECISION.c.case)
Index("ix_decision_customer", DECISION.c.customer)
Index("ix_decision_team", DECISION.c.team, DECISION.c.state)
Index("ix_decision_at_us", DECISION.c.at_us)
RESERVATION = Table(
    "reservation",
    METADATA,
    words("account", key=True),
    words("decision", key=True),
    words("over"),
    whole("amount"),
    whole("until_us", null=True),
    sqlite_with_rowid=False,
)
"""What decisions have taken; what is held until an instant that has passed counts no more."""
Index("ix_reservation_decision", RESERVATION.c.decision)
REACTION = Table(
    "reaction",
    METADATA,
    rising(),
    words("decision"),
    whole("at_us"),
    words("who"),
    words("kind"),
    words("action", null=True),
    words("reason", null=True),
    whole("cost_cents", null=True),
    whole("after_us"),
    sqlite_autoincrement=True,
)
Index("ix_reaction_decision", REACTION.c.decision)
APPROVAL = Table(
    "approval",
    METADATA,
    rising(),
    words("decision"),
    words("action"),
    words("asked_by"),
    whole("at_us"),
    whole("expires_us"),
    whole("n_needed"),
    words("state"),
    words("answers"),
    words("became", null=True),
    sqlite_autoincrement=True,
)
Index("ix_approval_decision", APPROVAL.c.decision)
STOPPED = Table(
    "stopped",
    METADATA,
    words("journey", key=True),
    words("action", key=True),
    whole("since_us"),
    words("by"),
    words("reason"),
)
"""Actions that are switched off: `*` stands for all of a journey, or for all journeys."""
EFFECTS = Table(
    "effects",
    METADATA,
    words("journey", key=True),
    whole("number", key=True),
    whole("learnt_us"),
    whole("n_decisions"),
    blob("blob"),
    sqlite_with_rowid=False,
)
"""What was learnt of the actions of a journey, version by version; the newest is what decisions ask."""
