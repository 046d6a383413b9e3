"""Passwords: kept so that whoever steals the database cannot read them, checked a few at a time."""

from __future__ import annotations

from collections.abc import Callable
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from truenorth.server.rate import Allowance, Rate
from truenorth.store.accounts import Account, Accounts

MIN_CHARACTERS, MAX_CHARACTERS = 12, 200
AT_A_TIME = 2
"""Checks at a time: each takes tens of milliseconds and 64 MiB on purpose."""
PER_NAME = Rate(per_second=1 / 30, burst=10)
PER_ASKER = Rate(per_second=1 / 3, burst=30)
"""How often a password may be tried, by the name of its account and by who tries."""

_HASHER = PasswordHasher()
"""Argon2id with the parameters of RFC 9106 for little memory, as the library keeps them up to date."""
_TURNS = BoundedSemaphore(AT_A_TIME)
_NOBODY: list[str] = []


def kept(password: str) -> str:
    """What is kept of a password: a salted, slow hash."""
    with _TURNS:
        return _HASHER.hash(password)


def is_right(password: str, keep: str | None) -> bool:
    """Whether a password is the one that something was kept of; without it as slow as ever, and false.

    >>> keep = kept("correct horse battery")
    >>> is_right("correct horse battery", keep), is_right("wrong horse", keep), is_right("any", None)
    (True, False, False)
    """
    with _TURNS:
        if keep is None and not _NOBODY:
            _NOBODY.append(_HASHER.hash("nobody"))
        try:
            return _HASHER.verify(keep or _NOBODY[0], password) and keep is not None
        except (VerificationError, InvalidHashError):
            return False


def is_outdated(keep: str) -> bool:
    """Whether it was made with parameters that are too weak by now."""
    return _HASHER.check_needs_rehash(keep)


def problem_of(password: str, name: str) -> str | None:
    """What is wrong with a new password; None for nothing.

    Its length counts, not the kinds of its characters (NIST SP 800-63B, 3.1.1.2).

    >>> problem_of("short", "ann")
    'expected a password of 12 to 200 characters'
    >>> problem_of("aaaaaaaaaaaaaaa", "ann")
    'expected a password of more than a few different characters'
    """
    if not MIN_CHARACTERS <= len(password) <= MAX_CHARACTERS:
        return f"expected a password of {MIN_CHARACTERS} to {MAX_CHARACTERS} characters"
    if len(set(password)) < 5:
        return "expected a password of more than a few different characters"
    if name.lower() in password.lower() and len(password) < MIN_CHARACTERS + len(name):
        return "expected a password that is not made of the name"
    return None


class Passwords:
    """The passwords of accounts: tried so often only, wherever they are asked for."""

    def __init__(self, accounts: Accounts, elapsed_s: Callable[[], float]) -> None:
        self._accounts = accounts
        self._per_name, self._per_asker = Allowance(PER_NAME, elapsed_s), Allowance(PER_ASKER, elapsed_s)

    def wait_s(self, name: str, asker: str) -> float:
        """How long to wait before a password of a name is tried; 0, and the try is counted."""
        return max(self._per_name.wait_s(name[:100]), self._per_asker.wait_s(asker))

    def account(self, name: str, password: str) -> Account | None:
        """The account that a name and a password open together; None for neither. Blocks."""
        keep = self._right(name, password)
        if keep is None:
            return None
        if is_outdated(keep):
            self._accounts.keep_password(name, kept(password))
        return self._accounts.find(name)

    def change(self, name: str, present: str, new: str) -> bool:
        """Replace the present password, which ends all sessions; false where it is another. Blocks."""
        keep = self._right(name, present)
        return keep is not None and self._accounts.replace_password(name, keep, kept(new))

    def _right(self, name: str, password: str) -> str | None:
        keep = self._accounts.password_of(name)
        return keep if is_right(password[:MAX_CHARACTERS], keep) else None
