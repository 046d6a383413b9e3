"""Kinds of columns of the store's tables, the same on every database."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Integer, LargeBinary, MetaData, Text

METADATA = MetaData(
    naming_convention={"ix": "ix_%(column_0_N_label)s", "uq": "uq_%(table_name)s_%(column_0_N_name)s"},
)
TEXT = Text().with_variant(Text(collation="C"), "postgresql")
"""Text in the order of code points, as SQLite has it."""
RISING = BigInteger().with_variant(Integer, "sqlite")
"""SQLite numbers rows by itself in columns of this very type only."""


def words(name: str, *, null: bool = False, key: bool = False) -> Column[str]:
    """A column of text."""
    return Column(name, TEXT, nullable=null, primary_key=key)


def whole(name: str, *, null: bool = False, key: bool = False) -> Column[int]:
    """A column of whole numbers."""
    return Column(name, BigInteger, nullable=null, primary_key=key, autoincrement=False)


def number(name: str, *, null: bool = False) -> Column[float]:
    """A column of numbers."""
    return Column(name, Float(53), nullable=null)


def blob(name: str, *, null: bool = False, key: bool = False) -> Column[bytes]:
    """A column of bytes."""
    return Column(name, LargeBinary, nullable=null, primary_key=key)


def rising(name: str = "number") -> Column[int]:
    """The key of a table that numbers its rows."""
    return Column(name, RISING, primary_key=True, autoincrement=True)
