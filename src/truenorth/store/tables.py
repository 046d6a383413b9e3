"""The tables of the store. `docs/store.md` says what each is for; `migrations/` makes them.

Instants end in ``_us``: microseconds since 1970 UTC. Columns of bytes hold JSON as it came, hashes, or packed state.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ColumnElement,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    case,
    text,
)

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


def _number(name: str, *, null: bool = False) -> Column[float]:
    return Column(name, Float(53), nullable=null)


def _bytes(name: str, *, null: bool = False, key: bool = False) -> Column[bytes]:
    return Column(name, LargeBinary, nullable=null, primary_key=key)


def _rising(name: str = "number") -> Column[int]:
    return Column(name, RISING, primary_key=True, autoincrement=True)


EVENT = Table(
    "event",
    METADATA,
    _rising("position"),
    _text("source"),
    _text("id"),
    _text("type"),
    _whole("time_us"),
    _whole("received_us"),
    _text("customer", null=True),
    _text("case", null=True),
    _text("actor", null=True),
    _text("team", null=True),
    _text("channel", null=True),
    _number("cost", null=True),
    _number("revenue", null=True),
    _number("feeling", null=True),
    _text("text", null=True),
    _bytes("properties"),
    _text("other_id", null=True),
    _text("other_kind", null=True),
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
    _rising(),
    _text("source"),
    _whole("received_us"),
    _text("reason"),
    _bytes("raw"),
    sqlite_autoincrement=True,
)

ARRIVED = Table("arrived", METADATA, _text("what", key=True), _whole("n"))
"""How much has ever arrived that is no row of `event`: duplicates, refused items, events of erased people."""

GONE_KEY = Table("gone_key", METADATA, _bytes("hash", key=True), sqlite_with_rowid=False)
"""Events that have left the table `event` (archived, erased, too old): they are still known as duplicates."""

ARCHIVE_FILE = Table(
    "archive_file",
    METADATA,
    _whole("first_position", key=True),
    _whole("last_position"),
    _text("folder"),
    _text("name"),
    _whole("version"),
    _whole("n_events"),
    _whole("n_bytes"),
    CheckConstraint("first_position <= last_position", name="ck_archive_file_range"),
)
DOOMED_FILE = Table("doomed_file", METADATA, _text("folder", key=True), _text("name", key=True))
"""Files that may lie in an archive without being part of it: removed when next somebody looks."""

SETTING = Table("setting", METADATA, _text("name", key=True), _bytes("value"))

WRITE_KEY = Table(
    "write_key",
    METADATA,
    _bytes("hash", key=True),
    _text("source"),
    _whole("created_us"),
    _whole("revoked_us", null=True),
)
TOKEN = Table(
    "token",
    METADATA,
    _bytes("hash", key=True),
    _text("label"),
    _text("role"),
    _whole("created_us"),
    _whole("revoked_us", null=True),
)
LINK = Table(
    "link", METADATA, _text("name", key=True), _text("url"), _text("campaign", null=True), _whole("created_us")
)
JOURNEY = Table(
    "journey",
    METADATA,
    _text("name", key=True),
    _whole("version", key=True),
    _text("text"),
    _text("state"),
    _whole("published_us"),
)

VERDICT_COUNTS = ("kept", "broken", "lapsed", "open")
COUNTS = ("reopened", "events", "moments", "decisions", "handovers", "internal", *VERDICT_COUNTS)
MONEY = ("cost", "revenue", "value")
CASE_ROW = Table(
    "case_row",
    METADATA,
    _text("journey", key=True),
    _text("case", key=True),
    _text("customer", null=True),
    _whole("opened_us"),
    _whole("resolved_us", null=True),
    _whole("closed_us", null=True),
    _text("outcome"),
    _text("reason", null=True),
    _whole("outcome_time_us", null=True),
    *(_whole(name) for name in COUNTS),
    *(_number(name) for name in MONEY),
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
    _text("journey", key=True),
    _text("case", key=True),
    _text("promise", key=True),
    _whole("instance", key=True),
    _whole("started_us"),
    _whole("due_us", null=True),
    _text("verdict"),
    _whole("decided_us", null=True),
    _text("started_by", null=True),
    _text("decided_by", null=True),
    sqlite_with_rowid=False,
)
CASE_EVENT = Table(
    "case_event",
    METADATA,
    _text("journey", key=True),
    _text("key", key=True),
    _whole("time_us", key=True),
    _whole("position", key=True),
    sqlite_with_rowid=False,
)
SNAPSHOT = Table("snapshot", METADATA, _text("journey", key=True), _whole("chunk", key=True), _bytes("blob"))
PROGRESS = Table(
    "progress",
    METADATA,
    _text("journey", key=True),
    _whole("position"),
    _whole("watermark_us", null=True),
    _whole("told"),
    *(_whole(name) for name in ("n_events", "n_filtered", "n_no_key", "n_before_need", "n_after_close")),
)

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
    _number("level", null=True),
    _whole("level_us", null=True),
)
"""What was learnt to foresee a journey's cases; ``sight`` is how the log's columns were read for it."""
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
    _number("p_learnt", null=True),
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
    _number("p_learnt", null=True),
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

SIGNAL = Table(
    "signal",
    METADATA,
    _rising(),
    _text("journey"),
    _text("case", null=True),
    _text("customer", null=True),
    _text("kind"),
    _whole("time_us"),
    _bytes("body"),
    sqlite_autoincrement=True,
)
Index("ix_signal_case", SIGNAL.c.journey, SIGNAL.c.case)
Index("ix_signal_customer", SIGNAL.c.customer)
WEBHOOK = Table(
    "webhook",
    METADATA,
    _rising(),
    _text("url"),
    _text("secret"),
    _text("kinds"),
    _text("state"),
    _whole("created_us"),
    sqlite_autoincrement=True,
)
OUTBOX = Table(
    "outbox",
    METADATA,
    _whole("signal", key=True),
    _whole("webhook", key=True),
    _text("state"),
    _whole("attempts"),
    _whole("next_us"),
    _text("last_error", null=True),
    sqlite_with_rowid=False,
)
Index("ix_outbox_due", OUTBOX.c.state, OUTBOX.c.next_us)
Index("ix_outbox_next", OUTBOX.c.webhook, OUTBOX.c.state, OUTBOX.c.signal)

SUPPRESSION = Table(
    "suppression",
    METADATA,
    _rising(),
    _bytes("hash"),
    _whole("erased_us"),
    UniqueConstraint("hash"),
    sqlite_autoincrement=True,
)
"""Keyed hashes of the ids of erased people: their events are not taken any more."""
RECEIPT = Table(
    "receipt",
    METADATA,
    _rising(),
    _whole("erased_us"),
    _text("asked_by"),
    _whole("n_ids"),
    _text("counts"),
    _whole("scrubbed_us", null=True),
    sqlite_autoincrement=True,
)
AUDIT = Table(
    "audit",
    METADATA,
    _rising(),
    _whole("time_us"),
    _text("who"),
    _text("what"),
    _text("about", null=True),
    sqlite_autoincrement=True,
)
Index("ix_audit_about", AUDIT.c.about)

PERSON = Table(
    "person", METADATA, _text("id", key=True), _text("name"), _text("roles"), _text("teams"), _whole("added_us")
)
"""Who decides: people of the company, not customers."""
TEAM = Table("team", METADATA, _text("name", key=True), _text("roles"), _text("journeys"))
ACCREDITATION = Table(
    "accreditation",
    METADATA,
    _text("person", key=True),
    _text("level", key=True),
    _whole("granted_us"),
    _whole("expires_us", null=True),
    _text("by"),
)
COURSE = Table(
    "course",
    METADATA,
    _text("name", key=True),
    _text("title"),
    _text("level"),
    _text("format"),
    _whole("lasts_us", null=True),
    _whole("valid_us", null=True),
)
COURSE_CLASS = Table(
    "course_class",
    METADATA,
    _rising(),
    _text("course"),
    _whole("starts_us"),
    _whole("seats"),
    sqlite_autoincrement=True,
)
BOOKING = Table(
    "booking", METADATA, _whole("class", key=True), _text("person", key=True), _text("state"), _whole("changed_us")
)

DECISION = Table(
    "decision",
    METADATA,
    _text("id", key=True),
    _text("journey"),
    _text("case"),
    _text("customer", null=True),
    _text("asker"),
    _text("team", null=True),
    _text("origin"),
    _whole("at_us"),
    _text("chosen"),
    _text("taken", null=True),
    _text("channel", null=True),
    _text("state"),
    _whole("expires_us", null=True),
    _number("propensity"),
    _whole("holdout"),
    _whole("value_cents"),
    _whole("cost_cents"),
    _whole("actual_cents", null=True),
    _bytes("record"),
)
Index("ix_decision_case", DECISION.c.journey, DECISION.c.case)
Index("ix_decision_customer", DECISION.c.customer)
Index("ix_decision_team", DECISION.c.team, DECISION.c.state)
Index("ix_decision_at_us", DECISION.c.at_us)
RESERVATION = Table(
    "reservation",
    METADATA,
    _text("account", key=True),
    _text("decision", key=True),
    _text("over"),
    _whole("amount"),
    _whole("until_us", null=True),
    sqlite_with_rowid=False,
)
"""What decisions have taken; what is held until an instant that has passed counts no more."""
Index("ix_reservation_decision", RESERVATION.c.decision)
REACTION = Table(
    "reaction",
    METADATA,
    _rising(),
    _text("decision"),
    _whole("at_us"),
    _text("who"),
    _text("kind"),
    _text("action", null=True),
    _text("reason", null=True),
    _whole("cost_cents", null=True),
    _whole("after_us"),
    sqlite_autoincrement=True,
)
Index("ix_reaction_decision", REACTION.c.decision)
APPROVAL = Table(
    "approval",
    METADATA,
    _rising(),
    _text("decision"),
    _text("action"),
    _text("asked_by"),
    _whole("at_us"),
    _whole("expires_us"),
    _whole("n_needed"),
    _text("state"),
    _text("answers"),
    _text("became", null=True),
    sqlite_autoincrement=True,
)
Index("ix_approval_decision", APPROVAL.c.decision)
STOPPED = Table(
    "stopped",
    METADATA,
    _text("journey", key=True),
    _text("action", key=True),
    _whole("since_us"),
    _text("by"),
    _text("reason"),
)
"""Actions that are switched off: `*` stands for all of a journey, or for all journeys."""
EFFECTS = Table(
    "effects",
    METADATA,
    _text("journey", key=True),
    _whole("number", key=True),
    _whole("learnt_us"),
    _whole("n_decisions"),
    _bytes("blob"),
    sqlite_with_rowid=False,
)
"""What was learnt of the actions of a journey, version by version; the newest is what decisions ask."""

ACCOUNT = Table(
    "account",
    METADATA,
    _text("name", key=True),
    _text("role"),
    _text("password", null=True),
    _text("issuer", null=True),
    _text("subject", null=True),
    _whole("created_us"),
    _whole("off_us", null=True),
    UniqueConstraint("issuer", "subject"),
)
INVITATION = Table(
    "invitation",
    METADATA,
    _bytes("hash", key=True),
    _text("name", null=True),
    _text("role"),
    _text("by"),
    _whole("created_us"),
    _whole("expires_us"),
)
SESSION = Table(
    "session",
    METADATA,
    _bytes("hash", key=True),
    _text("account"),
    _whole("created_us"),
    _whole("expires_us"),
)
FATE = Table(
    "fate",
    METADATA,
    _text("journey", key=True),
    _text("future", key=True),
    _text("element", key=True),
    _text("fate"),
    _text("note"),
    _text("by"),
    _whole("at_us"),
    sqlite_with_rowid=False,
)
"""Named future states of a journey: what is to become of each of its elements."""
STEERING = Table(
    "steering",
    METADATA,
    _text("journey", key=True),
    _text("kind", key=True),
    _text("text"),
    _text("by"),
    _whole("at_us"),
    sqlite_with_rowid=False,
)
"""What a journey is steered by: its file of KPIs, its file of initiatives."""
