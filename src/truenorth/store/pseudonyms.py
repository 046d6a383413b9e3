"""Decisions about somebody who was erased: kept, under a name that leads nowhere."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, delete, or_, select, tuple_, update

from truenorth.store.acting_tables import APPROVAL, DECISION, REACTION, RESERVATION
from truenorth.store.gone import in_parts

PREFIX = "erased-"


def decisions_about(
    connection: Connection, ids: Sequence[str], cases: Sequence[tuple[str, str]]
) -> list[dict[str, object]]:
    """The decisions about a person, by their ids and their cases (journey, case), in order of time."""
    found: dict[str, dict[str, object]] = {}
    wanted = [DECISION.c.customer.in_(some) for some in in_parts(sorted(ids))]
    wanted += [tuple_(DECISION.c.journey, DECISION.c.case).in_(some) for some in in_parts(sorted(cases))]
    for condition in wanted:
        for row in connection.execute(select(DECISION).where(condition)).mappings():
            found[row["id"]] = dict(row)
    return sorted(found.values(), key=lambda row: (row["at_us"], row["id"]))


def make_pseudonymous(connection: Connection, rows: Sequence[dict[str, object]]) -> int:
    """Take the person out of some decisions; how many there are.

    A case is called by the id of its first decision from now on: chance has made it, so it leads nowhere. What was
    reserved of the case's and the customer's own accounts goes, as do reasons that people wrote.
    """
    names: dict[tuple[object, object], str] = {}
    for row in rows:
        name = names.setdefault((row["journey"], row["case"]), f"{PREFIX}{row['id']}")
        record = pseudonymous(row["record"], name)  # type: ignore[arg-type]
        changed = update(DECISION).where(DECISION.c.id == row["id"])
        connection.execute(changed.values(case=name, customer=None, record=record))
    for some in in_parts([row["id"] for row in rows]):
        own = or_(RESERVATION.c.over == "case", RESERVATION.c.over == "customer")
        connection.execute(delete(RESERVATION).where(RESERVATION.c.decision.in_(some), own))
        connection.execute(update(REACTION).where(REACTION.c.decision.in_(some)).values(reason=None))
        connection.execute(update(APPROVAL).where(APPROVAL.c.decision.in_(some)).values(answers="[]"))
    return len(rows)


def pseudonymous(record: bytes, name: str) -> bytes:
    """A record in which another name stands for the case, and none for the customer; all else stays byte by byte."""
    whole = msgspec.json.decode(record)
    inputs = msgspec.json.decode(b64decode(whole["inputs"]))
    for part in (whole, inputs["context"]):
        part["case"], part["customer"] = name, None
    whole["inputs"] = b64encode(msgspec.json.encode(inputs)).decode()
    return msgspec.json.encode(whole)
