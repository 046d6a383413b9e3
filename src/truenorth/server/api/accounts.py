"""Accounts: who may sign in to the console, by which role."""

from __future__ import annotations

from math import ceil
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from truenorth.server.api.context import Context, Instant, Name, Served, Text, instant, showing, shown
from truenorth.server.auth import Admin, Viewer
from truenorth.server.passwords import problem_of
from truenorth.server.receiving import Turned
from truenorth.store.accounts import Account, LastAdministrator
from truenorth.store.rows import Role

ROUTER = APIRouter(tags=["access"])
CREATED = "2026-01-05T09:30:00.000000Z"
INVITED_S = 7 * 24 * 3600
"""How long a link that invites somebody holds."""
SHOWN = {"name": "anna", "role": "agent", "issuer": None, "created": CREATED, "off": None}


class AccountShown(BaseModel):
    """An account. ``issuer``: the provider that vouches for it, null for a password; ``off``: since when."""

    model_config = showing(SHOWN)
    name: str
    role: Role
    issuer: str | None
    created: Instant
    off: Instant | None


class InvitationAsked(BaseModel):
    """Who is invited; for somebody who has an account already, a new password, in the role that they have."""

    model_config = showing({"name": "anna", "role": "agent"}, extra="forbid")
    name: Name
    role: Role


class InvitationMade(BaseModel):
    """A link that holds once: it is shown this once. ``path`` follows the address of the service."""

    model_config = showing({"name": "anna", "role": "agent", "path": "/join/...", "expires": CREATED})
    name: str
    role: Role
    path: str
    expires: Instant


class InvitationShown(BaseModel):
    """A link that was not used yet; ``name`` null: whoever has it chooses one."""

    model_config = showing({"name": "anna", "role": "agent", "by": "adam", "created": CREATED, "expires": CREATED})
    name: str | None
    role: Role
    by: str
    created: Instant
    expires: Instant


class Withdrawn(BaseModel):
    """How many links hold no more."""

    model_config = showing({"withdrawn": 1})
    withdrawn: int


class AccountChange(BaseModel):
    """Another role, or on and off; what is not named stays."""

    model_config = showing({"role": "analyst"}, extra="forbid")
    role: Role | None = None
    state: Literal["on", "off"] | None = Field(default=None, description="off ends all sessions at once")


class PasswordChange(BaseModel):
    """The password that somebody has, and the one that they want."""

    model_config = showing({"present": "the one so far", "new": "several words are easy"}, extra="forbid")
    present: Text
    new: Text


@ROUTER.get("/accounts")
def list_accounts(served: Served, caller: Admin) -> list[AccountShown]:
    """All accounts by name. Role: admin."""
    return [_shown(one) for one in served.store.accounts.all()]


@ROUTER.get("/invitations")
def list_invitations(served: Served, caller: Admin) -> list[InvitationShown]:
    """Links that still hold, newest first. Role: admin."""
    return [InvitationShown(**shown(one)) for one in served.store.accounts.invitations(now_us=served.now_us())]


@ROUTER.post("/invitations", status_code=201)
def invite(served: Served, caller: Admin, asked: InvitationAsked) -> InvitationMade:
    """Make a link for a new account or a new password; earlier ones hold no more. Role: admin."""
    accounts, now_us = served.store.accounts, served.now_us()
    known = accounts.find(asked.name)
    role = known.role if known else asked.role
    expires_us = now_us + INVITED_S * 1_000_000
    secret = accounts.invite(asked.name, role, by=caller.who, now_us=now_us, expires_us=expires_us)
    served.note(caller, f"invited somebody as {role}", f"account {asked.name}")
    return InvitationMade(name=asked.name, role=role, path=f"/join/{secret}", expires=instant(expires_us))


@ROUTER.delete("/invitations")
def withdraw_invitation(served: Served, caller: Admin, name: Text | None = None) -> Withdrawn:
    """Have the link for a name hold no more; without one, the link whose holder chooses a name. Role: admin."""
    n_withdrawn = served.store.accounts.withdraw(name, now_us=served.now_us())
    if not n_withdrawn:
        raise Turned(404, "unknown_invitation", "no link for this name holds; see /api/v1/invitations")
    served.note(caller, "withdrew an invitation", f"account {name}" if name is not None else None)
    return Withdrawn(withdrawn=n_withdrawn)


@ROUTER.patch("/accounts/{name}")
def change_account(served: Served, caller: Admin, name: Text, change: AccountChange) -> AccountShown:
    """Give another role, or switch an account off or on; it holds from the next request. Role: admin."""
    found = served.store.accounts.find(name)
    try:
        if found is not None and change.role is not None:
            found = served.store.accounts.set_role(name, change.role)
            served.note(caller, f"gave the role {change.role}", f"account {name}")
        if found is not None and change.state is not None:
            found = _switched(served, name, change.state)
            served.note(caller, f"switched {change.state}", f"account {name}")
    except LastAdministrator:
        raise Turned(409, "last_administrator", "nobody would be left who may give roles") from None
    if found is None:
        raise Turned(404, "unknown_account", "there is no account of this name; see /api/v1/accounts")
    return _shown(found)


@ROUTER.put("/accounts/{name}/password", status_code=204)
def change_password(served: Served, caller: Viewer, name: Text, change: PasswordChange) -> None:
    """Change the password of an account by whoever has the present one; all its sessions end. Role: viewer."""
    wait_s = served.passwords.wait_s(name, f"token {caller.who}")
    if wait_s:
        raise Turned(429, "too_often", "too many tries; wait, then try again", ceil(wait_s))
    if problem := problem_of(change.new, name):
        raise Turned(422, "weak_password", problem)
    if not served.passwords.change(name, change.present, change.new):
        raise Turned(403, "wrong_password", "this name and password do not go together, or the account is off")
    served.note(caller, "changed a password", f"account {name}")


def _switched(served: Context, name: str, state: str) -> Account | None:
    return served.store.accounts.switch(name, off_us=served.now_us() if state == "off" else None)


def _shown(account: Account) -> AccountShown:
    return AccountShown(**shown(account))
