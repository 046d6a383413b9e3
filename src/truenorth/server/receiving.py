"""A request's body and key, under bounds; and the answers that clients understand.

Answers are 200 and JSON: several official clients take any other success for a failure, and lose the batch on 400.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from truenorth.server.ingest.json_text import NotJson, read_json
from truenorth.server.ingest.parsed import Arrival, Parsed
from truenorth.server.ingest.payload import Broken, TooLarge, unpack
from truenorth.server.keys import Keys, keys_of_body, keys_of_request
from truenorth.server.limits import Limits
from truenorth.server.writer import LogWriter, NotKept, QueueFull
from truenorth.store.ports import StoreFull

logger = logging.getLogger(__name__)

SMALL_BYTES = 100_000
"""Bodies of JSON up to this are parsed at once, larger ones in a thread, so that nobody waits for them."""

SMALL_PACKED_BYTES = 2_000
"""The same for bodies that may be compressed: gzip makes up to a thousandfold of it."""

SHOWN_REASONS = 20
"""Most reasons of refused events in an answer; all of them are in the quarantine."""

RETRY_STORE_SECONDS = 10
"""What a sender is told to wait when the store is full or fails."""


class Turned(Exception):
    """A request is turned away: with which status, for which reason, and what to do."""

    def __init__(self, status: int, code: str, message: str, retry_after_seconds: int | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.retry_after_seconds = retry_after_seconds


class Intake:
    """What all ingest routes share: the writer, the keys, the clock (microseconds since 1970 UTC) and the bounds."""

    def __init__(self, writer: LogWriter, keys: Keys, now_us: Callable[[], int], limits: Limits) -> None:
        self.writer, self.keys, self.now_us, self.limits = writer, keys, now_us, limits
        self._held_bytes = 0
        self._holding = threading.Lock()  # large bodies are unpacked in threads

    def hold(self, n_bytes: int) -> None:
        """Count bytes of a body that has no answer yet (negative: that has one now)."""
        with self._holding:
            if n_bytes > 0 and self._held_bytes and self._held_bytes + n_bytes > self.limits.held_bytes:
                raise busy(self.limits)
            self._held_bytes += n_bytes

    def source_of(self, secrets: Iterable[str]) -> str | None:
        """The source of the first key that is known; turned away if nobody can tell."""
        try:
            return next((name for secret in secrets if (name := self.keys.source_of(secret)) is not None), None)
        except Exception as error:  # whatever a store raises: the sender is to try again
            logger.error("a key could not be looked up: %s", type(error).__name__)  # noqa: TRY400 - no secrets
            message = "keys cannot be looked up at the moment: nothing was kept; send it again"
            raise Turned(503, "no_keys", message, RETRY_STORE_SECONDS) from None

    async def keep(self, parsed: Parsed) -> None:
        """Return when it is on disk; else the request is turned away."""
        try:
            await self.writer.append(parsed)
        except QueueFull:
            raise busy(self.limits) from None
        except StoreFull:
            message = "the store is full: nothing was kept; make room, then send it again"
            raise Turned(503, "store_full", message, RETRY_STORE_SECONDS) from None
        except NotKept as error:
            message = f"{error}: nothing was kept; send it again"
            raise Turned(503, "not_kept", message, RETRY_STORE_SECONDS) from None


def busy(limits: Limits) -> Turned:
    """Too much waits to be written."""
    return Turned(429, "busy", "too much waits to be written; send it again", limits.retry_after_seconds)


def no_key() -> Turned:
    """There is no key, or an unknown one."""
    message = "expected a known write key, in X-Write-Key, Authorization, the query or the body"
    return Turned(401, "unknown_key", f"{message}; ask who runs this service for one")


class Received:
    """One request: its head, and its body once it was read; the bytes count as held until `release`."""

    def __init__(self, request: Request, intake: Intake) -> None:
        self.intake = intake
        self.received_us = intake.now_us()
        self.headers = headers_of(request)
        self.query = dict(request.query_params)
        self.raw = b""
        self.value: Any = None
        self._request = request
        self._source: str | None = None
        self._n_held = 0

    def check_key(self) -> None:
        """Note the source of a key outside the body; turned away if keys stand there and none is known."""
        secrets = list(keys_of_request(self.headers, self.query))
        self._source = self.intake.source_of(secrets)
        if secrets and self._source is None:
            raise no_key()

    async def read(self) -> None:
        """Read the body; turned away when it is too large, too slow, or there is too much at once."""
        limits = self.intake.limits
        if self.intake.writer.is_full:
            raise busy(limits)
        if _announced_bytes(self.headers) > limits.body_bytes:
            raise _too_large(f"{limits.body_bytes:,} bytes")
        try:
            async with asyncio.timeout(limits.body_seconds):
                self.raw = await self._gather()
        except TimeoutError:
            message = f"the body did not arrive within {limits.body_seconds:g} seconds; send it again"
            raise Turned(408, "too_slow", message) from None
        except ClientDisconnect:
            raise Turned(400, "gone", "the connection was closed in the middle of the body") from None

    async def _gather(self) -> bytes:
        parts = []
        async for part in self._request.stream():
            self._hold(len(part))
            if self._n_held > self.intake.limits.body_bytes:
                raise _too_large(f"{self.intake.limits.body_bytes:,} bytes")
            parts.append(part)
        return b"".join(parts)

    def unpacked(self) -> bytes:
        """The body without compression and forms."""
        try:
            inner = unpack(self.raw, self.intake.limits.unpacked_bytes)
        except TooLarge:
            raise _too_large(f"{self.intake.limits.unpacked_bytes:,} bytes unpacked") from None
        except Broken as broken:
            raise _no_json(f"found {broken}") from None
        if inner is not self.raw:
            self._hold(len(inner))
        return inner

    def json(self) -> Any:
        """The JSON value of the body."""
        inner = self.unpacked()
        try:
            self.value = read_json(inner)
        except NotJson as error:
            raise _no_json(str(error) if inner.strip() else "found an empty body") from None
        batch = self.value.get("batch") if isinstance(self.value, dict) else self.value
        if isinstance(batch, list) and len(batch) > self.intake.limits.body_items:
            raise _too_large(f"{self.intake.limits.body_items:,} events")
        return self.value

    def arrival(self) -> Arrival:
        """How it came: the source of its key, which may stand in the body; turned away without one."""
        source = self._source or self.intake.source_of(keys_of_body(self.value))
        if source is None:
            raise no_key()
        return self.arrival_from(source)

    def arrival_from(self, source: str) -> Arrival:
        """How it came, from a source known otherwise."""
        return Arrival(source=source, received_us=self.received_us, event_bytes=self.intake.limits.event_bytes)

    def _hold(self, n_bytes: int) -> None:
        self.intake.hold(n_bytes)
        self._n_held += n_bytes

    def release(self) -> None:
        """The request has its answer."""
        self.intake.hold(-self._n_held)
        self._n_held = 0


def _announced_bytes(headers: Mapping[str, str]) -> int:
    announced = headers.get("content-length", "")
    return int(announced) if announced.isascii() and announced.isdigit() and len(announced) < 20 else 0


def _too_large(most: str) -> Turned:
    return Turned(413, "too_large", f"expected a body of at most {most}; send smaller batches")


def _no_json(found: str) -> Turned:
    return Turned(400, "no_json", f"expected a body of JSON, plain or compressed: {found}")


async def receive(
    request: Request,
    intake: Intake,
    parse: Callable[[Received], Parsed],
    answer: Callable[[Received, Parsed], Any],
    *,
    has_own_check: bool = False,
) -> Response:
    """Take a request from its bytes to the disk, then answer.

    ``parse`` runs in a thread where the body is large. ``has_own_check``: it checks a signature, no key is asked for.
    """
    received = Received(request, intake)
    try:
        if not has_own_check:
            received.check_key()
        await received.read()
        parsed = parse(received) if _is_small(received.raw) else await asyncio.to_thread(parse, received)
        await intake.keep(parsed)
        return json_answer(answer(received, parsed))
    except Turned as turned:
        return refusal_answer(turned)
    finally:
        received.release()


def _is_small(raw: bytes) -> bool:
    return len(raw) <= (SMALL_BYTES if raw[:1] in (b"{", b"[") else SMALL_PACKED_BYTES)


def headers_of(request: Request) -> Mapping[str, str]:
    """Headers by name in lower case; of several with one name, the last."""
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in request.headers.raw}


def json_answer(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A value as a JSON response."""
    return Response(msgspec.json.encode(value), status, headers=headers, media_type="application/json")


def refusal_answer(turned: Turned) -> Response:
    """The answer to a request that is turned away, with the keys in which clients look for a message."""
    wait = turned.retry_after_seconds
    said = {"success": False, "code": turned.code, "message": turned.message, "detail": turned.message}
    return json_answer(said, turned.status, {"Retry-After": str(wait)} if wait is not None else None)


def with_reasons(success: dict[str, Any], parsed: Parsed) -> dict[str, Any]:
    """An answer that also tells which events were refused, if any were.

    >>> with_reasons({"status": 1}, Parsed())
    {'status': 1}
    """
    if not parsed.refused:
        return success
    reasons = [one.reason for one in parsed.refused[:SHOWN_REASONS]]
    return {**success, "n_refused": len(parsed.refused), "refused": reasons}
