"""Values of a store that are made once and never change."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from sqlalchemy import select

from truenorth.store.database import Database, Turn
from truenorth.store.tables import SETTING

SALT_BYTES = 32
NAME_BYTES = 4

Entropy = Callable[[int], bytes]
"""So many random bytes."""


class Settings(NamedTuple):
    """What makes a store this one: the key of its hashes, and the name that its archive's files bear."""

    salt: bytes
    name: str


def settings_of(database: Database, entropy: Entropy) -> Settings:
    """The settings of a store; a new one gets its own."""
    wanted = {"salt": SALT_BYTES, "name": NAME_BYTES}
    with database.writing(Turn.SCHEMA) as connection:
        found = {row.name: row.value for row in connection.execute(select(SETTING))}
        new = [{"name": name, "value": entropy(n)} for name, n in wanted.items() if name not in found]
        if new:
            connection.execute(database.insert(SETTING), new)
    found |= {row["name"]: row["value"] for row in new}
    return Settings(bytes(found["salt"]), bytes(found["name"]).hex())
