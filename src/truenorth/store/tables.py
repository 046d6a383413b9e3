"""The tables of the log, of journeys and of what is concluded; `docs/store.md` says what each is for.

Instants end in ``_us``: microseconds since 1970 UTC. Columns of bytes hold JSON as it came, hashes, or packed state.
"""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ColumnElement, Index, Table, UniqueConstraint, case, text

from truenorth.store.columns import METADATA, blob, number, rising, whole, words

EVENT = Table(
    "event",
    METADATA,
    rising("position"),
    words("source"),
    words("id"),
    words("type"),
    whole("time_us"),
    whole("received_us"),
    words("customer", null=True),
    words("case", null=True),
    words("actor", null=True),
    words("team", null=True),
    words("channel", null=True),
    number("cost", null=True),
    number("revenue", null=True),
    number("feeling", null=True),
    words("text", null=True),
    blob("properties"),
    words("other_id", null=True),
    words("other_kind", null=True),
    UniqueConstraint("source", "id"),
    sqlite_autoincrement=True,  # a position that was taken away is never given again
)
Index("ix_event_customer", EVENT.c.customer)


def _partial_index(name: str, column: Column[str], where: ColumnElement[bool]) -> None:
    Index(name, column, sqlite_where=where, postgresql_where=where)


_partial_index("ix_event_other_id", EVENT.c.other_id, EVENT.c.other_id.is_not(None))
_partial_index("ix_event_unnamed_case", EVENT.c.case, EVENT.c.customer.is_(None) & EVENT.c.case.is_not(None))

REFUSED = Table(
    "refused",
    METADATA,
    rising(),
    words("source"),
    whole("received_us"),
    words("reason"),
    blob("raw"),
    sqlite_autoincrement=True,
)

ARRIVED = Table("arrived", METADATA, words("what", key=True), whole("n"))
"""How much has ever arrived that is no row of `event`: duplicates, refused items, events of erased people."""

GONE_KEY = Table("gone_key", METADATA, blob("hash", key=True), sqlite_with_rowid=False)
"""Events that have left the table `event` (archived, erased, too old): they are still known as duplicates."""

ARCHIVE_FILE = Table(
    "archive_file",
    METADATA,
    whole("first_position", key=True),
    whole("last_position"),
    words("folder"),
    words("name"),
    whole("version"),
    whole("n_events"),
    whole("n_bytes"),
    CheckConstraint("first_position <= last_position", name="ck_archive_file_range"),
)
DOOMED_FILE = Table("doomed_file", METADATA, words("folder", key=True), words("name", key=True))
"""Files that may lie in an archive without being part of it: removed when next somebody looks."""

SETTING = Table("setting", METADATA, words("name", key=True), blob("value"))

WRITE_KEY = Table(
    "write_key",
    METADATA,
    blob("hash", key=True),
    words("source"),
    whole("created_us"),
    whole("revoked_us", null=True),
)
TOKEN = Table(
    "token",
    METADATA,
    blob("hash", key=True),
    words("label"),
    words("role"),
    whole("created_us"),
    whole("revoked_us", null=True),
)
LINK = Table("link", METADATA, words("name", key=True), words("url"), words("campaign", null=True), whole("created_us"))
JOURNEY = Table(
    "journey",
    METADATA,
    words("name", key=True),
    whole("version", key=True),
    words("text"),
    words("state"),
    whole("published_us"),
)

VERDICT_COUNTS = ("kept", "broken", "lapsed", "open")
COUNTS = ("reopened", "events", "moments", "decisions", "handovers", "internal", *VERDICT_COUNTS)
MONEY = ("cost", "revenue", "value")
CASE_ROW = Table(
    "case_row",
    METADATA,
    words("journey", key=True),
    words("case", key=True),
    words("customer", null=True),
    whole("opened_us"),
    whole("resolved_us", null=True),
    whole("closed_us", null=True),
    words("outcome"),
    words("reason", null=True),
    whole("outcome_time_us", null=True),
    *(whole(name) for name in COUNTS),
    *(number(name) for name in MONEY),
)
Index("ix_case_row_customer", CASE_ROW.c.customer)
IS_OPEN = text("outcome = 'open'")
"""As databases know it from `ix_case_row_open`: a value in the place of the word would not find the index."""
Index("ix_case_row_open", CASE_ROW.c.journey, CASE_ROW.c.opened_us, sqlite_where=IS_OPEN, postgresql_where=IS_OPEN)


def case_decided_us() -> ColumnElement[int]:
    """When a case was decided: what is achieved is known when it closes, once it has held long enough."""
    return case((CASE_ROW.c.outcome == "achieved", CASE_ROW.c.closed_us), else_=CASE_ROW.c.outcome_time_us)


PROMISE_ROW = Table(
    "promise_row",
    METADATA,
    words("journey", key=True),
    words("case", key=True),
    words("promise", key=True),
    whole("instance", key=True),
    whole("started_us"),
    whole("due_us", null=True),
    words("verdict"),
    whole("decided_us", null=True),
    words("started_by", null=True),
    words("decided_by", null=True),
    sqlite_with_rowid=False,
)
CASE_EVENT = Table(
    "case_event",
    METADATA,
    words("journey", key=True),
    words("key", key=True),
    whole("time_us", key=True),
    whole("position", key=True),
    sqlite_with_rowid=False,
)
SNAPSHOT = Table("snapshot", METADATA, words("journey", key=True), whole("chunk", key=True), blob("blob"))
PROGRESS = Table(
    "progress",
    METADATA,
    words("journey", key=True),
    whole("position"),
    whole("watermark_us", null=True),
    whole("told"),
    *(whole(name) for name in ("n_events", "n_filtered", "n_no_key", "n_before_need", "n_after_close")),
)

MODEL = Table(
    "model",
    METADATA,
    words("journey", key=True),
    words("version", key=True),
    words("state"),
    whole("made_us"),
    whole("live_us", null=True),
    whole("data_from_us"),
    whole("data_to_us"),
    whole("n_cases"),
    whole("beats"),
    words("why"),
    number("threshold"),
    blob("sight"),
    blob("features"),
    blob("metrics"),
    blob("blob"),
    number("level", null=True),
    whole("level_us", null=True),
    number("ends_low", null=True),
    number("ends_high", null=True),
)
"""What was learnt to foresee a journey's cases; ``sight`` is how the log's columns were read for it."""
RISK = Table(
    "risk",
    METADATA,
    words("journey", key=True),
    words("model", key=True),
    words("case", key=True),
    words("customer", null=True),
    whole("at_us"),
    whole("position"),
    number("p_failed"),
    number("avoidable"),
    blob("p"),
    blob("p_break"),
    blob("remaining_days"),
    blob("next"),
    blob("why"),
    blob("lowers"),
    whole("alarmed"),
    whole("n_past"),
    number("p_past"),
    number("p_learnt", null=True),
)
Index("ix_risk_avoidable", RISK.c.journey, RISK.c.model, RISK.c.avoidable, RISK.c.case)
Index("ix_risk_customer", RISK.c.customer)
RISK_PAST = Table(
    "risk_past",
    METADATA,
    words("journey", key=True),
    words("model", key=True),
    words("case", key=True),
    whole("number", key=True),
    words("customer", null=True),
    whole("at_us"),
    whole("position"),
    number("p_failed"),
    number("p_learnt", null=True),
    number("days_said", null=True),
    sqlite_with_rowid=False,
)
Index("ix_risk_past_customer", RISK_PAST.c.customer)
MODEL_LOOK = Table(
    "model_look",
    METADATA,
    rising(),
    words("journey"),
    words("version"),
    whole("at_us"),
    blob("body"),
    sqlite_autoincrement=True,
)
Index("ix_model_look_model", MODEL_LOOK.c.journey, MODEL_LOOK.c.version)

SIGNAL = Table(
    "signal",
    METADATA,
    rising(),
    words("journey"),
    words("case", null=True),
    words("customer", null=True),
    words("kind"),
    whole("time_us"),
    blob("body"),
    sqlite_autoincrement=True,
)
Index("ix_signal_case", SIGNAL.c.journey, SIGNAL.c.case)
Index("ix_signal_customer", SIGNAL.c.customer)
WEBHOOK = Table(
    "webhook",
    METADATA,
    rising(),
    words("url"),
    words("secret"),
    words("kinds"),
    words("state"),
    whole("created_us"),
    sqlite_autoincrement=True,
)
OUTBOX = Table(
    "outbox",
    METADATA,
    whole("signal", key=True),
    whole("webhook", key=True),
    words("state"),
    whole("attempts"),
    whole("next_us"),
    words("last_error", null=True),
    sqlite_with_rowid=False,
)
Index("ix_outbox_due", OUTBOX.c.state, OUTBOX.c.next_us)
Index("ix_outbox_next", OUTBOX.c.webhook, OUTBOX.c.state, OUTBOX.c.signal)

SUPPRESSION = Table(
    "suppression",
    METADATA,
    rising(),
    blob("hash"),
    whole("erased_us"),
    UniqueConstraint("hash"),
    sqlite_autoincrement=True,
)
"""Keyed hashes of the ids of erased people: their events are not taken any more."""
RECEIPT = Table(
    "receipt",
    METADATA,
    rising(),
    whole("erased_us"),
    words("asked_by"),
    whole("n_ids"),
    words("counts"),
    whole("scrubbed_us", null=True),
    sqlite_autoincrement=True,
)
AUDIT = Table(
    "audit",
    METADATA,
    rising(),
    whole("time_us"),
    words("who"),
    words("what"),
    words("about", null=True),
    sqlite_autoincrement=True,
)
Index("ix_audit_about", AUDIT.c.about)
