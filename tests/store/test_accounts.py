"""Accounts, links and sessions as the store keeps them, on every database."""

from __future__ import annotations

import pytest

from truenorth.store.accounts import LastAdministrator
from truenorth.store.opening import Store

LATER = 1_000


def joined(store: Store, name: str, role: str = "admin") -> None:
    secret = store.accounts.invite(name, role, by="test", now_us=0, expires_us=LATER)  # type: ignore[arg-type]
    assert store.accounts.accept(secret, name, "hash", now_us=1) is not None


def test_a_link_holds_once_and_for_a_while_and_only_the_newest(store: Store) -> None:
    accounts = store.accounts
    first = accounts.invite("ann", "agent", by="test", now_us=0, expires_us=10)
    second = accounts.invite("ann", "agent", by="test", now_us=0, expires_us=10)
    assert accounts.invitation(first, now_us=1) is None
    assert accounts.accept(second, "bo", "hash", now_us=1) is None  # it is somebody else's
    assert accounts.accept(second, "ann", "hash", now_us=10) is None
    made = accounts.accept(second, "ann", "hash", now_us=9)
    assert made is not None
    assert (made.name, made.role, accounts.password_of("ann")) == ("ann", "agent", "hash")
    assert accounts.accept(second, "ann", "other", now_us=9) is None
    assert accounts.invitations(now_us=1) == []


def test_a_link_that_is_withdrawn_holds_no_more(store: Store) -> None:
    accounts = store.accounts
    links = {name: accounts.invite(name, "agent", by="test", now_us=0, expires_us=10) for name in ("ann", "bo", None)}
    assert accounts.withdraw("ann", now_us=10) == 0  # it has expired
    for name in ("ann", None):
        assert (accounts.withdraw(name, now_us=1), accounts.withdraw(name, now_us=1)) == (1, 0)
        assert accounts.invitation(links[name], now_us=1) is None
    assert [one.name for one in accounts.invitations(now_us=1)] == ["bo"]


def test_whoever_chooses_a_name_cannot_take_one(store: Store) -> None:
    joined(store, "ann")
    anybody = store.accounts.invite(None, "viewer", by="test", now_us=0, expires_us=LATER)
    assert store.accounts.accept(anybody, "ann", "other", now_us=1) is None
    assert store.accounts.password_of("ann") == "hash"
    assert store.accounts.accept(anybody, "bo", "other", now_us=1) is not None


def test_a_session_ends_when_it_should(store: Store) -> None:
    accounts = store.accounts
    joined(store, "ann")
    joined(store, "bo", "viewer")
    secrets = [accounts.begin_session("bo", now_us=0, expires_us=10) for _ in range(3)]
    found = accounts.signed_in(secrets[0], now_us=9)
    assert found is not None
    assert found.name == "bo"
    assert accounts.signed_in(secrets[0], now_us=10) is None
    accounts.end_session(secrets[0])
    assert accounts.signed_in(secrets[0], now_us=1) is None
    assert accounts.signed_in(secrets[1], now_us=1) is not None
    accounts.switch("bo", off_us=5)
    assert accounts.signed_in(secrets[1], now_us=1) is None
    assert accounts.password_of("bo") is None
    accounts.switch("bo", off_us=None)
    assert accounts.signed_in(secrets[1], now_us=1) is None  # on again, not signed in again


def test_a_new_password_ends_the_sessions_of_the_old_one(store: Store) -> None:
    joined(store, "ann")
    secret = store.accounts.begin_session("ann", now_us=0, expires_us=LATER)
    joined(store, "ann")
    assert store.accounts.signed_in(secret, now_us=1) is None


def test_a_password_is_replaced_by_whoever_knows_it_and_ends_all_sessions(store: Store) -> None:
    accounts = store.accounts
    joined(store, "ann")
    joined(store, "bo", "viewer")
    anns, bos = (accounts.begin_session(name, now_us=0, expires_us=LATER) for name in ("ann", "bo"))
    assert not accounts.replace_password("bo", "another", "new")
    assert accounts.signed_in(bos, now_us=1) is not None
    assert accounts.replace_password("bo", "hash", "new")
    assert (accounts.password_of("bo"), accounts.password_of("ann")) == ("new", "hash")
    assert (accounts.signed_in(bos, now_us=1), accounts.signed_in(anns, now_us=1) is None) == (None, False)
    accounts.switch("bo", off_us=2)
    assert not accounts.replace_password("bo", "new", "newer")


def test_there_is_always_an_administrator_left(store: Store) -> None:
    joined(store, "ann")
    for act in (lambda: store.accounts.set_role("ann", "viewer"), lambda: store.accounts.switch("ann", off_us=1)):
        with pytest.raises(LastAdministrator):
            act()
    assert store.accounts.has_admin()
    joined(store, "bo")
    assert store.accounts.set_role("ann", "viewer") is not None
    with pytest.raises(LastAdministrator):
        store.accounts.switch("bo", off_us=1)


def test_a_provider_vouches_for_its_own_people_only(store: Store) -> None:
    accounts = store.accounts
    joined(store, "ann")
    assert accounts.vouched("https://a", "1", "ann", "admin", now_us=1) is None
    bo = accounts.vouched("https://a", "1", "bo", "viewer", now_us=1)
    assert bo is not None
    assert accounts.vouched("https://b", "1", "bo", "admin", now_us=1) is None  # another provider
    again = accounts.vouched("https://a", "1", "renamed", "agent", now_us=2)
    assert again is not None
    assert (again.name, again.role) == ("bo", "agent")
    accounts.switch("bo", off_us=3)
    assert accounts.vouched("https://a", "1", "bo", "viewer", now_us=4) is None


def test_secrets_are_not_in_the_database(store: Store) -> None:
    joined(store, "ann")
    link = store.accounts.invite("bo", "viewer", by="test", now_us=0, expires_us=LATER)
    session = store.accounts.begin_session("ann", now_us=0, expires_us=LATER)
    with store.database.reading() as connection:
        rows = [
            repr(connection.exec_driver_sql(f"select * from {name}").all())
            for name in ("account", "invitation", "session")
        ]
    assert not any(secret in row for secret in (link, session) for row in rows)
