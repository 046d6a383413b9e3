"""Who may ask for what: tokens with roles, a check at the door, and a role at every endpoint.

The door stands before routing and bodies: under a guarded path nothing is answered without a token, not even that there
is no such page. Endpoints then say which role they need.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Callable, Collection
from math import ceil
from typing import Annotated, get_args
from urllib.parse import urlsplit

import msgspec
from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from truenorth.server.addresses import is_loopback
from truenorth.server.answers import store_unavailable, turned_answer
from truenorth.server.rate import Allowance, network_of
from truenorth.server.receiving import Turned
from truenorth.store.ports import StoreFull
from truenorth.store.rows import Role, Token

ROLES: tuple[Role, ...] = get_args(Role)
"""Each may what those before it may."""

GUARDED = ("/api", "/metrics")
"""Paths, with all below them, that need a token."""
DOCUMENTS = "/api/docs"
"""What browsers show: here a token may also be the password of a Basic authorization, which they ask for."""

READING = frozenset({"GET", "HEAD"})
"""What a browser that has signed in may ask of the API: to change something, a page or a token is needed."""
SIGNED_IN = "signed_in"
"""Where a layer before the door leaves the `Caller` of a session, in the state of a request."""

NO_TOKEN = "expected a valid token as 'Authorization: Bearer ...'; ask who runs this service for one"  # noqa: S105


class Caller(msgspec.Struct, frozen=True):
    """Who asks: the label of a token, and its role."""

    who: str
    role: Role

    def may(self, role: Role) -> bool:
        """Whether this role includes another.

        >>> Caller("desk", "agent").may("viewer"), Caller("desk", "agent").may("analyst")
        (True, False)
        """
        return ROLES.index(self.role) >= ROLES.index(role)


ANYBODY = Caller("(open)", "admin")
"""Whoever asks a service that was started open."""


class Needs(msgspec.Struct, frozen=True):
    """A dependency that gives the caller, or turns away one whose role is too small."""

    role: Role

    def __call__(self, request: Request) -> Caller:
        """The caller of a request."""
        caller: Caller | None = getattr(request.state, "caller", None)
        if caller is None:
            raise Turned(401, "no_token", NO_TOKEN)
        return self.of(caller)

    def of(self, caller: Caller) -> Caller:
        """The same caller, if the role is large enough."""
        if not caller.may(self.role):
            raise Turned(403, "role_too_small", f"expected the role {self.role}, found {caller.role}")
        return caller


Viewer = Annotated[Caller, Depends(Needs("viewer"))]
Agent = Annotated[Caller, Depends(Needs("agent"))]
Analyst = Annotated[Caller, Depends(Needs("analyst"))]
Admin = Annotated[Caller, Depends(Needs("admin"))]


class Door:
    """Lets requests to guarded paths in, with who asks; turns all others away. Unguarded paths pass.

    So do the paths of ``ingest``, wherever they lie: they ask for a write key.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        token_of: Callable[[str], Token | None],
        per_token: Allowance,
        per_address: Allowance,
        is_open: bool = False,
        ingest: Collection[str] = (),
    ) -> None:
        """``is_open``: requests without a token from this machine's own pages and programs are an admin's."""
        self._app = app
        self._token_of = token_of
        self._per_token = per_token
        self._per_address = per_address
        self._is_open = is_open
        self._ingest = frozenset(ingest)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check, then pass on."""
        path = path_of(scope) if scope["type"] == "http" else ""
        if _is_below(path, GUARDED) and path not in self._ingest:
            state = scope.setdefault("state", {})
            try:
                state["caller"] = await self._admitted(Request(scope))
            except Turned as turned:
                await turned_answer(scope, turned, _challenges(scope, turned))(scope, receive, send)
                return
            except StoreFull:
                await turned_answer(scope, store_unavailable())(scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def _admitted(self, request: Request) -> Caller:
        _take(self._per_address, network_of(request.client.host if request.client else ""))
        secret = _secret(request)
        if secret is None and self._is_open and _is_own(request):
            return ANYBODY
        signed_in: Caller | None = request.scope["state"].get(SIGNED_IN)
        if secret is None and signed_in is not None and request.method in READING and is_of_here(request):
            _take(self._per_token, f"account {signed_in.who}")
            return signed_in
        token = await run_in_threadpool(self._token_of, secret) if secret else None
        if token is None:
            raise Turned(401, "no_token", NO_TOKEN)
        _take(self._per_token, token.label)
        return Caller(token.label, token.role)


def _take(allowance: Allowance, asker: str) -> None:
    wait_s = allowance.wait_s(asker)
    if wait_s:
        raise Turned(429, "too_often", "too many requests; wait, then ask again", ceil(wait_s))


def _secret(request: Request) -> str | None:
    """The token of a request, if it has one."""
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return credentials.strip()
    if scheme.lower() == "basic" and _shows_documents(request.scope):
        try:
            return b64decode(credentials.strip(), validate=True).decode().partition(":")[2]
        except (binascii.Error, ValueError):
            return ""
    return "" if scheme else None


def _challenges(scope: Scope, turned: Turned) -> dict[str, str]:
    if turned.status != 401:
        return {}
    return {"WWW-Authenticate": 'Basic realm="Truenorth"' if _shows_documents(scope) else "Bearer"}


def _shows_documents(scope: Scope) -> bool:
    return scope["method"] == "GET" and _is_below(path_of(scope), (DOCUMENTS,))


def _is_own(request: Request) -> bool:
    """Whether no foreign web page stands behind a request to an open service.

    The name it was called by is a loopback one (a page whose name was rebound to this machine has another), and a
    browser says, if it is one, that the page comes from here.
    """
    return is_called_loopback(request) and is_of_here(request)


def is_called_loopback(request: HTTPConnection) -> bool:
    """Whether the name that a service was called by stands for this machine."""
    try:
        name = urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
    except ValueError:
        return False
    return is_loopback(name)


def is_of_here(request: HTTPConnection) -> bool:
    """Whether no page of another origin has made a browser ask this."""
    host, origin = request.headers.get("host", ""), request.headers.get("origin")
    try:
        is_same = origin is None or urlsplit(origin).netloc == host
    except ValueError:
        return False
    return is_same and request.headers.get("sec-fetch-site", "none") in {"none", "same-origin"}


def path_of(scope: Scope) -> str:
    """The path of a request below where the service is mounted."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))


def _is_below(path: str, above: tuple[str, ...]) -> bool:
    return any(path == one or path.startswith(f"{one}/") for one in above)
