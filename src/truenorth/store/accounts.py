"""People who sign in to the console: their accounts, the links that invite them, and their sessions.

Of links and sessions only hashes are kept; of passwords what a function made for them gives (`server.passwords`).
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy import Connection, RowMapping, and_, delete, func, insert, select, update

from truenorth.store.console_tables import ACCOUNT, INVITATION, SESSION
from truenorth.store.database import Database, Turn
from truenorth.store.hashing import secret_hash
from truenorth.store.rows import Role
from truenorth.store.settings import Entropy

SECRET_BYTES = 32


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who may sign in, by name. ``issuer``: who vouches for them; None for a password of their own here."""

    name: str
    role: Role
    issuer: str | None = None
    created_us: int
    off_us: int | None = None


class Invitation(msgspec.Struct, frozen=True, kw_only=True):
    """A link that makes an account, or gives one a new password, once. ``name`` None: whoever has it chooses one."""

    name: str | None
    role: Role
    by: str
    created_us: int
    expires_us: int


class LastAdministrator(Exception):
    """Nobody would be left who may give roles."""


class Accounts:
    """Who may sign in, and who is signed in."""

    def __init__(self, database: Database, entropy: Entropy) -> None:
        self._database = database
        self._entropy = entropy

    def all(self) -> Sequence[Account]:
        """All accounts by name, those that are off too."""
        with self._database.reading() as connection:
            return [_account(row) for row in connection.execute(select(ACCOUNT).order_by(ACCOUNT.c.name)).mappings()]

    def find(self, name: str) -> Account | None:
        """An account, off or not; None where there is none of this name."""
        with self._database.reading() as connection:
            return _found(connection, name)

    def has_admin(self) -> bool:
        """Whether somebody may invite others."""
        with self._database.reading() as connection:
            return _n_admins(connection) > 0

    def password_of(self, name: str) -> str | None:
        """What a password of an account that is on is checked with; None where none lets anybody in."""
        asked = select(ACCOUNT.c.password).where(ACCOUNT.c.name == name, ACCOUNT.c.off_us.is_(None))
        with self._database.reading() as connection:
            return connection.scalar(asked)

    def keep_password(self, name: str, password: str) -> None:
        """Replace what a password is checked with."""
        with self._database.writing() as connection:
            connection.execute(update(ACCOUNT).where(ACCOUNT.c.name == name).values(password=password))

    def replace_password(self, name: str, before: str, password: str) -> bool:
        """Replace it where it is still checked with ``before``, and end all sessions; false where it is not."""
        same = and_(ACCOUNT.c.name == name, ACCOUNT.c.password == before, ACCOUNT.c.off_us.is_(None))
        with self._database.writing() as connection:
            is_replaced = connection.execute(update(ACCOUNT).where(same).values(password=password)).rowcount == 1
            if is_replaced:
                connection.execute(delete(SESSION).where(SESSION.c.account == name))
        return is_replaced

    def invite(self, name: str | None, role: Role, *, by: str, now_us: int, expires_us: int) -> str:
        """A new secret for a link; links that were made before for the same name hold no more."""
        secret = self._secret()
        same = INVITATION.c.name.is_(None) if name is None else INVITATION.c.name == name
        values = {"name": name, "role": role, "by": by, "created_us": now_us, "expires_us": expires_us}
        with self._database.writing() as connection:
            connection.execute(delete(INVITATION).where(same | (INVITATION.c.expires_us <= now_us)))
            connection.execute(insert(INVITATION).values(hash=secret_hash(secret), **values))
        return secret

    def invitation(self, secret: str, *, now_us: int) -> Invitation | None:
        """What a link invites to; None where it holds no more."""
        with self._database.reading() as connection:
            return _invitation(connection, secret, now_us)

    def invitations(self, *, now_us: int) -> Sequence[Invitation]:
        """Links that still hold, newest first."""
        asked = select(*_INVITED).where(INVITATION.c.expires_us > now_us).order_by(INVITATION.c.created_us.desc())
        with self._database.reading() as connection:
            return [Invitation(**row) for row in connection.execute(asked).mappings()]

    def withdraw(self, name: str | None, *, now_us: int) -> int:
        """Have links for a name, or those whose holder chooses one, hold no more; how many there were."""
        same = INVITATION.c.name.is_(None) if name is None else INVITATION.c.name == name
        with self._database.writing() as connection:
            return connection.execute(delete(INVITATION).where(same, INVITATION.c.expires_us > now_us)).rowcount

    def accept(self, secret: str, name: str, password: str, *, now_us: int) -> Account | None:
        """Use a link up: the account of a name with a password. None where it holds no more, or the name is taken.

        Whoever was signed in to the account before is so no more.
        """
        with self._database.writing(Turn.DECISIONS) as connection:
            invited = _invitation(connection, secret, now_us)
            if invited is None or (invited.name or name) != name:
                return None
            before = _found(connection, name)
            if before is not None and invited.name is None:
                return None
            connection.execute(delete(INVITATION).where(INVITATION.c.hash == secret_hash(secret)))
            connection.execute(delete(SESSION).where(SESSION.c.account == name))
            values = {"role": invited.role, "password": password, "issuer": None, "subject": None, "off_us": None}
            _keep(connection, name, before, now_us, values)
            return _found(connection, name)

    def vouched(self, issuer: str, subject: str, name: str, role: Role, *, now_us: int) -> Account | None:
        """The account of somebody whom a provider vouches for, made if need be, with the role that it says.

        None where the account is off, or the name is somebody else's.
        """
        theirs = and_(ACCOUNT.c.issuer == issuer, ACCOUNT.c.subject == subject)
        with self._database.writing(Turn.DECISIONS) as connection:
            known = connection.scalar(select(ACCOUNT.c.name).where(theirs))
            before = _found(connection, known or name)
            if before is not None and (known is None or before.off_us is not None):
                return None
            _keep(connection, known or name, before, now_us, {"role": role, "issuer": issuer, "subject": subject})
            return _found(connection, known or name)

    def set_role(self, name: str, role: Role) -> Account | None:
        """Give another role, from the next request on; `LastAdministrator` where nobody else is one."""
        return self._change(name, role=role)

    def switch(self, name: str, *, off_us: int | None) -> Account | None:
        """Switch an account off from an instant, which ends its sessions, or on again; `LastAdministrator`."""
        return self._change(name, off_us=off_us)

    def begin_session(self, name: str, *, now_us: int, expires_us: int) -> str:
        """A new secret for whoever has signed in."""
        secret = self._secret()
        values = {"account": name, "created_us": now_us, "expires_us": expires_us}
        with self._database.writing() as connection:
            connection.execute(delete(SESSION).where(SESSION.c.expires_us <= now_us))
            connection.execute(insert(SESSION).values(hash=secret_hash(secret), **values))
        return secret

    def signed_in(self, secret: str, *, now_us: int) -> Account | None:
        """Whose session it is; None where it has ended or the account is off."""
        asked = (
            select(*_KEPT)
            .join_from(SESSION, ACCOUNT, ACCOUNT.c.name == SESSION.c.account)
            .where(SESSION.c.hash == secret_hash(secret), SESSION.c.expires_us > now_us, ACCOUNT.c.off_us.is_(None))
        )
        with self._database.reading() as connection:
            row = connection.execute(asked).mappings().first()
        return _account(row) if row else None

    def end_session(self, secret: str) -> None:
        """Sign somebody out."""
        with self._database.writing() as connection:
            connection.execute(delete(SESSION).where(SESSION.c.hash == secret_hash(secret)))

    def _change(self, name: str, **values: object) -> Account | None:
        with self._database.writing(Turn.DECISIONS) as connection:
            n_before = _n_admins(connection)
            connection.execute(update(ACCOUNT).where(ACCOUNT.c.name == name).values(**values))
            if n_before and not _n_admins(connection):
                raise LastAdministrator(name)
            if values.get("off_us") is not None:
                connection.execute(delete(SESSION).where(SESSION.c.account == name))
            return _found(connection, name)

    def _secret(self) -> str:
        return urlsafe_b64encode(self._entropy(SECRET_BYTES)).decode().rstrip("=")


_KEPT = [ACCOUNT.c[name] for name in Account.__struct_fields__]
_INVITED = [INVITATION.c[name] for name in Invitation.__struct_fields__]


def _account(row: RowMapping) -> Account:
    return Account(**{name: row[name] for name in Account.__struct_fields__})


def _found(connection: Connection, name: str) -> Account | None:
    row = connection.execute(select(*_KEPT).where(ACCOUNT.c.name == name)).mappings().first()
    return _account(row) if row else None


def _invitation(connection: Connection, secret: str, now_us: int) -> Invitation | None:
    asked = select(*_INVITED).where(INVITATION.c.hash == secret_hash(secret), INVITATION.c.expires_us > now_us)
    row = connection.execute(asked).mappings().first()
    return Invitation(**row) if row else None


def _keep(connection: Connection, name: str, before: Account | None, now_us: int, values: Mapping[str, object]) -> None:
    if before is None:
        connection.execute(insert(ACCOUNT).values(name=name, created_us=now_us, **values))
    else:
        connection.execute(update(ACCOUNT).where(ACCOUNT.c.name == name).values(**values))


def _n_admins(connection: Connection) -> int:
    counted = select(func.count()).where(ACCOUNT.c.role == "admin", ACCOUNT.c.off_us.is_(None))
    return int(connection.scalar(counted) or 0)
