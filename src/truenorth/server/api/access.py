"""Keys for whoever sends events, tokens for whoever asks."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel

from truenorth.server.api.context import Instant, Name, Served, Text, showing, shown
from truenorth.server.auth import Admin
from truenorth.server.receiving import Turned
from truenorth.store.rows import Role

ROUTER = APIRouter(tags=["access"])
CREATED = "2026-01-05T09:30:00.000000Z"


class KeyAsked(BaseModel):
    """The source of the events that will come with a key."""

    model_config = showing({"source": "shop"}, extra="forbid")
    source: Name


class KeyMade(BaseModel):
    """A new write key: it is shown this once."""

    model_config = showing({"source": "shop", "secret": "tnw_..."})
    source: str
    secret: str


class KeyShown(BaseModel):
    """A write key, without its secret."""

    model_config = showing({"source": "shop", "created": CREATED, "revoked": None})
    source: str
    created: Instant
    revoked: Instant | None


class TokenAsked(BaseModel):
    """Whose token it will be, and its role."""

    model_config = showing({"label": "dashboard", "role": "viewer"}, extra="forbid")
    label: Name
    role: Role


class TokenMade(BaseModel):
    """A new token: it is shown this once."""

    model_config = showing({"label": "dashboard", "role": "viewer", "secret": "tnt_..."})
    label: str
    role: Role
    secret: str


class TokenShown(BaseModel):
    """A token, without its secret."""

    model_config = showing({"label": "dashboard", "role": "viewer", "created": CREATED, "revoked": None})
    label: str
    role: Role
    created: Instant
    revoked: Instant | None


class Revoked(BaseModel):
    """How many were valid and are so no more."""

    model_config = showing({"revoked": 1})
    revoked: int


@ROUTER.get("/write-keys")
def list_keys(served: Served, caller: Admin) -> list[KeyShown]:
    """All write keys, revoked ones too. Role: admin."""
    return [KeyShown(**shown(key)) for key in served.store.access.write_keys()]


@ROUTER.post("/write-keys", status_code=201)
def add_key(served: Served, caller: Admin, asked: KeyAsked) -> KeyMade:
    """Make a write key. Role: admin."""
    secret = served.store.access.add_write_key(asked.source, now_us=served.now_us())
    served.note(caller, "made a write key", f"source {asked.source}")
    return KeyMade(source=asked.source, secret=secret)


@ROUTER.delete("/write-keys/{source}")
def revoke_keys(served: Served, caller: Admin, source: Text, but_newest: bool = False) -> Revoked:
    """Revoke all write keys of a source, or all but the newest. Role: admin."""
    n = served.store.access.revoke_write_keys(source, now_us=served.now_us(), but_newest=but_newest)
    if not n:
        raise Turned(404, "unknown_key", "there is no valid write key of this source; see /api/v1/write-keys")
    served.note(caller, "revoked write keys", f"source {source}")
    return Revoked(revoked=n)


@ROUTER.get("/tokens")
def list_tokens(served: Served, caller: Admin) -> list[TokenShown]:
    """All tokens, revoked ones too. Role: admin."""
    return [TokenShown(**shown(token)) for token in served.store.access.tokens()]


@ROUTER.post("/tokens", status_code=201)
def add_token(served: Served, caller: Admin, asked: TokenAsked) -> TokenMade:
    """Make a token. Role: admin."""
    secret = served.store.access.add_token(asked.label, asked.role, now_us=served.now_us())
    served.note(caller, f"made a token of the role {asked.role}", f"token {asked.label}")
    return TokenMade(label=asked.label, role=asked.role, secret=secret)


@ROUTER.delete("/tokens/{label}")
def revoke_tokens(served: Served, caller: Admin, label: Text, but_newest: bool = False) -> Revoked:
    """Revoke all tokens of a label, or all but the newest; a stream that is open ends within minutes. Role: admin."""
    n = served.store.access.revoke_tokens(label, now_us=served.now_us(), but_newest=but_newest)
    if not n:
        raise Turned(404, "unknown_token", "there is no valid token of this label; see /api/v1/tokens")
    served.note(caller, "revoked tokens", f"token {label}")
    return Revoked(revoked=n)
