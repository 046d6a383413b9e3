"""Who may send events and who may ask: keys and tokens, of which only hashes are kept."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Sequence

from sqlalchemy import ColumnElement, Table, insert, select, update

from truenorth.store.database import Database
from truenorth.store.hashing import secret_hash
from truenorth.store.rows import Role, Token, WriteKey
from truenorth.store.settings import Entropy
from truenorth.store.tables import TOKEN, WRITE_KEY

SECRET_BYTES = 32


class Access:
    """Write keys for ingest, tokens with roles for the rest. A secret is shown once, when it is made."""

    def __init__(self, database: Database, entropy: Entropy) -> None:
        self._database = database
        self._entropy = entropy

    def add_write_key(self, source: str, *, now_us: int) -> str:
        """A new secret; events that come with it have this source."""
        return self._add(WRITE_KEY, "tnw_", source=source, created_us=now_us)

    def add_token(self, label: str, role: Role, *, now_us: int) -> str:
        """A new secret that gives a role."""
        return self._add(TOKEN, "tnt_", label=label, role=role, created_us=now_us)

    def source_of(self, secret: str) -> str | None:
        """The source of a write key that is valid, else None."""
        valid = select(WRITE_KEY.c.source).where(
            WRITE_KEY.c.hash == secret_hash(secret), WRITE_KEY.c.revoked_us.is_(None)
        )
        with self._database.reading() as connection:
            return connection.scalar(valid)

    def token_of(self, secret: str) -> Token | None:
        """The token of a secret that is valid, else None."""
        columns = [TOKEN.c[name] for name in Token.__struct_fields__]
        valid = select(*columns).where(TOKEN.c.hash == secret_hash(secret), TOKEN.c.revoked_us.is_(None))
        with self._database.reading() as connection:
            row = connection.execute(valid).mappings().first()
        return Token(**row) if row else None

    def revoke_write_keys(self, source: str, *, now_us: int, but_newest: bool = False) -> int:
        """End all valid keys of a source, or all but the newest, from now on; how many."""
        return self._revoke(WRITE_KEY, WRITE_KEY.c.source == source, now_us, but_newest)

    def revoke_tokens(self, label: str, *, now_us: int, but_newest: bool = False) -> int:
        """End all valid tokens of a label, or all but the newest, from now on; how many."""
        return self._revoke(TOKEN, TOKEN.c.label == label, now_us, but_newest)

    def write_keys(self) -> Sequence[WriteKey]:
        """All keys, revoked ones too, oldest first."""
        columns = [WRITE_KEY.c[name] for name in WriteKey.__struct_fields__]
        with self._database.reading() as connection:
            rows = connection.execute(select(*columns).order_by(WRITE_KEY.c.created_us, WRITE_KEY.c.source)).mappings()
            return [WriteKey(**row) for row in rows]

    def tokens(self) -> Sequence[Token]:
        """All tokens, revoked ones too, oldest first."""
        columns = [TOKEN.c[name] for name in Token.__struct_fields__]
        with self._database.reading() as connection:
            rows = connection.execute(select(*columns).order_by(TOKEN.c.created_us, TOKEN.c.label)).mappings()
            return [Token(**row) for row in rows]

    def _add(self, table: Table, prefix: str, **values: object) -> str:
        secret = prefix + urlsafe_b64encode(self._entropy(SECRET_BYTES)).decode().rstrip("=")
        with self._database.writing() as connection:
            connection.execute(insert(table).values(hash=secret_hash(secret), **values))
        return secret

    def _revoke(self, table: Table, named: ColumnElement[bool], now_us: int, but_newest: bool) -> int:
        valid = named & table.c.revoked_us.is_(None)
        newest_first = select(table.c.hash).where(valid).order_by(table.c.created_us.desc(), table.c.hash)
        with self._database.writing() as connection:
            ended = connection.scalars(newest_first).all()[int(but_newest) :]
            return connection.execute(update(table).where(table.c.hash.in_(ended)).values(revoked_us=now_us)).rowcount
