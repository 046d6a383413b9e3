"""Who comes in: sessions in cookies, and nothing that another site's page asks for.

A session is a random secret of 256 bits in a cookie that scripts cannot read; the store keeps its hash. A page of
another origin cannot use it: browsers send it with nothing but links that people follow (``SameSite=Lax``), and what
changes something, the pages' sockets included, has to come from an origin of the service's own name.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from truenorth.server.answers import store_unavailable, turned_answer
from truenorth.server.auth import ANYBODY, GUARDED, READING, SIGNED_IN, Caller, is_called_loopback, is_of_here
from truenorth.store.accounts import Accounts
from truenorth.store.ports import StoreFull

COOKIE = "truenorth_session"
SESSION_S = 12 * 3600
"""How long somebody stays signed in: a long working day."""
SIGN_IN = "/sign-in"
UNGUARDED = (SIGN_IN, "/sign-out", "/join", "/_console")
"""What people need to come in: forms, and how they look."""
FILES_S = 300
"""How long a browser uses the console's own style and scripts again without asking."""
SOCKET = "/_nicegui_ws"
ASSETS = "/_nicegui"

FOREVER = "private, max-age=31536000, immutable"
"""Files that draw pages have their version in their address."""

POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; object-src 'none'; base-uri 'self'; form-action 'self'; "
    "frame-ancestors {ancestors}"
)
"""Pages load nothing from elsewhere. Their templates are compiled in the browser, which needs ``unsafe-eval``."""


class ConsoleDoor:
    """Stands before the console's pages and tells the door of the API who has signed in.

    ``is_page`` says whether a path is the console's. ``embedded_in``: origins of help desks that may show `/panel` in a
    frame.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        accounts: Accounts,
        now_us: Callable[[], int],
        is_page: Callable[[str], bool],
        is_open: bool = False,
        embedded_in: Collection[str] = (),
    ) -> None:
        self._app = app
        self._accounts = accounts
        self._now_us = now_us
        self._is_page = is_page
        self._is_open = is_open
        self._embedded_in = embedded_in

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check, then pass on."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        path: str = scope["path"].removeprefix(scope.get("root_path", ""))
        try:
            answer = await self._looked_at(HTTPConnection(scope), path)
        except StoreFull:
            answer = turned_answer(scope, store_unavailable()) if scope["type"] == "http" else _nothing()
        if answer is None:
            is_page = self._is_page(path) or _is_below(path, UNGUARDED)
            await self._app(scope, receive, self._dressed(send, path) if is_page else send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        else:
            await answer(scope, receive, send)

    async def _looked_at(self, asked: HTTPConnection, path: str) -> Response | None:
        """The answer to somebody who does not come in; None for one who does."""
        state = asked.scope.setdefault("state", {})
        if _is_below(path, GUARDED):
            caller = await self._caller(asked)
            if caller is not None and not self._is_open:
                state[SIGNED_IN] = caller
            return None
        if not self._is_page(path) and not _is_below(path, UNGUARDED):
            return None
        if self._is_open and not is_called_loopback(asked):
            return PlainTextResponse("open to this machine only, by a name of it: http://127.0.0.1", 403)
        if _is_foreign(asked):
            return PlainTextResponse("this came from a page of another site", 403)
        if _is_below(path, UNGUARDED):
            return None
        state[SIGNED_IN] = caller = await self._caller(asked)
        return None if caller else _sent_to_sign_in(asked, path)

    async def _caller(self, asked: HTTPConnection) -> Caller | None:
        secret = asked.cookies.get(COOKIE)
        account = await run_in_threadpool(self._accounts.signed_in, secret, now_us=self._now_us()) if secret else None
        if account is not None:
            return Caller(account.name, account.role)
        return ANYBODY if self._is_open else None

    def _dressed(self, send: Send, path: str) -> Send:
        may_embed = self._embedded_in and _is_below(path, ("/panel",))
        policy = POLICY.format(ancestors=" ".join(self._embedded_in) if may_embed else "'none'")

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if headers.get("content-type", "").startswith("text/html"):
                    headers.setdefault("Content-Security-Policy", policy)
                    headers["Cache-Control"] = "no-store"
                    headers["Referrer-Policy"] = "same-origin"  # without it a form would not say where it comes from
                elif _is_below(path, ("/_console",)):
                    headers.setdefault("Cache-Control", f"max-age={FILES_S}")
                elif message["status"] == 200 and _is_below(path, (ASSETS,)):
                    headers["Cache-Control"] = FOREVER
            await send(message)

        return dressed


def _is_foreign(asked: HTTPConnection) -> bool:
    """Whether a page of another site may stand behind something that is more than following a link."""
    if asked.scope["type"] == "websocket" or _is_below(asked.scope["path"], (SOCKET,)):
        return not is_of_here(asked) or (asked.scope["type"] == "websocket" and "origin" not in asked.headers)
    return asked.scope["method"] not in READING and not is_of_here(asked)


def _sent_to_sign_in(asked: HTTPConnection, path: str) -> Response:
    if asked.scope["type"] != "http" or _is_below(path, (SOCKET, ASSETS)) or asked.scope["method"] not in READING:
        return PlainTextResponse("sign in first", 401)
    query = asked.scope.get("query_string", b"").decode("latin-1")
    there = path + (f"?{query}" if query else "")
    return RedirectResponse(f"{SIGN_IN}?next={quote(there, safe='')}" if there != "/" else SIGN_IN, 303)


def _nothing() -> Response:
    return Response(status_code=503)


def _is_below(path: str, above: tuple[str, ...]) -> bool:
    return any(path == one or path.startswith(f"{one}/") for one in above)
