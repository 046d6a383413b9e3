"""What goes around every request: an id, a line in the log, headers, a bound on its body, and an answer to failures.

Logged are the template of the path, the status, the time it took and who asked. Never paths, queries, bodies, headers
or addresses: they may hold personal data and secrets.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import structlog
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from truenorth.server.answers import turned_answer
from truenorth.server.auth import path_of
from truenorth.server.metrics import Metrics
from truenorth.server.receiving import Turned

LOG = structlog.get_logger("truenorth.http")
GONE = 499
"""Counted as the status where the client went away before there was one."""
SHOWN_FRAMES = 8
"""Most places of a failure that are logged."""

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
}
NOTHING_ALLOWED = "default-src 'none'; frame-ancestors 'none'"
"""The content security policy of whatever is no page."""


class Interrupted(Exception):
    """An answer broke off; what happened is in the log, under the request's id."""


class Envelope:
    """The outermost layer of the service.

    ``new_id`` makes ids of requests, ``elapsed_s`` is a clock for durations, ``templates`` has the path of each
    endpoint as it was written, without what a request puts in its place.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        metrics: Metrics,
        new_id: Callable[[], str],
        elapsed_s: Callable[[], float],
        templates: Mapping[Any, str],
    ) -> None:
        self._app = app
        self._metrics = metrics
        self._new_id = new_id
        self._elapsed_s = elapsed_s
        self._templates = templates

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, whatever happens."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = self._new_id()
        scope.setdefault("state", {})["request_id"] = request_id
        sending = _Sending(send, request_id, self._elapsed_s)
        try:
            await self._app(scope, receive, sending)
        except Exception as error:
            LOG.error("failed", request=request_id, error=type(error).__name__, at=places_of(error))  # noqa: TRY400
            if sending.status != GONE:
                raise Interrupted(request_id) from None
            failed = Turned(500, "failed", "something went wrong here; who runs this service finds it by the id")
            await turned_answer(scope, failed)(scope, receive, sending)
        finally:
            self._note(scope, request_id, sending)

    def _note(self, scope: Scope, request_id: str, sending: _Sending) -> None:
        route = self._templates.get(scope.get("endpoint"), "other")
        seconds = sending.seconds
        self._metrics.answered(scope["method"], route, sending.status, seconds)
        caller = scope["state"].get("caller")
        if caller is not None or sending.status >= 400:
            LOG.info(
                "answered",
                request=request_id,
                method=scope["method"],
                route=route,
                status=sending.status,
                ms=round(1000 * seconds, 1),
                who=caller.who if caller else None,
            )


class _Sending:
    """Sends with headers, and knows what was sent."""

    def __init__(self, send: Send, request_id: str, elapsed_s: Callable[[], float]) -> None:
        self._send = send
        self._request_id = request_id
        self._elapsed_s = elapsed_s
        self._began_s = elapsed_s()
        self.status = GONE
        self.seconds = 0.0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.seconds = self._elapsed_s() - self._began_s
            headers = MutableHeaders(scope=message)
            headers["X-Request-ID"] = self._request_id
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
            headers.setdefault("Cache-Control", "no-store")
            if not headers.get("content-type", "").startswith("text/html"):
                headers.setdefault("Content-Security-Policy", NOTHING_ALLOWED)
        await self._send(message)


class BodyBound:
    """Turns away bodies that are larger than a bound, below a path; paths of ``ingest`` have their own bounds."""

    def __init__(self, app: ASGIApp, *, below: str, most_bytes: int, ingest: Collection[str] = ()) -> None:
        self._app = app
        self._below = below
        self._most_bytes = most_bytes
        self._ingest = frozenset(ingest)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count while it is read."""
        if scope["type"] != "http" or not path_of(scope).startswith(self._below) or path_of(scope) in self._ingest:
            await self._app(scope, receive, send)
            return
        too_large = HTTPException(413, f"expected a body of at most {self._most_bytes:,} bytes")
        n_bytes = 0

        async def counted() -> Message:
            nonlocal n_bytes
            message = await receive()
            n_bytes += len(message.get("body", b""))
            if n_bytes > self._most_bytes:
                raise too_large
            return message

        await self._app(scope, counted, send)


def places_of(error: BaseException) -> list[str]:
    """Where a failure happened, without its message, which may quote data."""
    frames: list[Any] = traceback.extract_tb(error.__traceback__)[-SHOWN_FRAMES:]
    return [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]
