"""A password changed over the API: by whoever has the present one, tried so often only."""

from __future__ import annotations

from server.desk import NOW_US, Desk
from truenorth.server.passwords import PER_NAME, is_right, kept

PRESENT, NEW = "correct horse battery staple", "staple battery horse correct"
PATH = "/api/v1/accounts/ann/password"


def joined(desk: Desk) -> str:
    accounts = desk.store.accounts
    secret = accounts.invite("ann", "agent", by="test", now_us=NOW_US, expires_us=NOW_US + 1)
    assert accounts.accept(secret, "ann", kept(PRESENT), now_us=NOW_US)
    return accounts.begin_session("ann", now_us=NOW_US, expires_us=NOW_US + 10**12)


def test_the_present_password_gives_another_and_ends_all_sessions(desk: Desk) -> None:
    session, accounts = joined(desk), desk.store.accounts
    refused = [
        desk.ask("PUT", PATH, "viewer", json={"present": present, "new": new})
        for present, new in (("wrong", NEW), (PRESENT, "short"))
    ]
    assert [(one.status_code, one.json()["code"]) for one in refused] == [
        (403, "wrong_password"),
        (422, "weak_password"),
    ]
    assert accounts.signed_in(session, now_us=NOW_US) is not None
    assert desk.ask("PUT", PATH, "viewer", json={"present": PRESENT, "new": NEW}).status_code == 204
    assert is_right(NEW, accounts.password_of("ann"))
    assert accounts.signed_in(session, now_us=NOW_US) is None
    noted = [(one.what, one.about) for one in desk.store.audit.read(0, limit=100)]
    assert noted.count(("changed a password", "account ann")) == 1


def test_guessing_is_slowed_down(desk: Desk) -> None:
    joined(desk)
    tries = [
        desk.ask("PUT", PATH, "viewer", json={"present": str(n), "new": NEW}).status_code
        for n in range(PER_NAME.burst + 2)
    ]
    assert tries == [403] * PER_NAME.burst + [429] * 2
