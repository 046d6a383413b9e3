"""Sends signals to webhooks: at least once each, one after another for each webhook.

A webhook gets one request at a time, in the order of its signals. One that fails holds up those behind it while its
wait is short (`retries.MAX_REST_S`); then they overtake it. What a crash leaves claimed is sent again, under the same
id, when its lease is over. Only one sender should run on a store: a second one does no harm but to the order.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable, Mapping

import httpcore
import httpx
import structlog

from truenorth.server.retries import GONE, MAX_REST_S, Answer, Move, next_move
from truenorth.server.targets import CheckedBackend, RefusedTarget, TargetRules, checked_url, port_of
from truenorth.server.webhook_message import body_of, headers_of
from truenorth.spec.problems import TruenorthError
from truenorth.store.ports import StoreFull
from truenorth.store.rows import Delivery, Settled
from truenorth.store.signals import Outbox

N_AT_ONCE = 16
"""Webhooks that are spoken to at a time."""
BATCH_SIGNALS = 32
"""Signals that are claimed for a webhook at a time: after a crash so many are sent twice at most."""
TURN_S = 10
"""A webhook that has been sent to for longer gives way to others."""
IDLE_S = 30
"""A connection that is not used for so long is closed."""
REQUEST_S = 15
"""An attempt has failed when there is no whole answer within this time."""
LEASE_S = 60
"""What is claimed and not settled is due again after this time: longer than a batch and its last request take."""
POLL_S = 0.25
"""Between two looks at what is due."""
RETRY_S = 2.0
"""The wait after the store has refused something."""
ANSWER_BYTES = 4_096
"""So much of an answer is read."""
SHOWN_CHARACTERS = 200
"""So much of it is told in an error."""

LOG = structlog.get_logger("truenorth.outbox")


class Sender:
    """Sends what is due until it is told to stop. To be used in one event loop.

    ``clock``: microseconds since 1970 UTC. ``network``: what connects; a `CheckedBackend` of ``rules`` by default.
    """

    def __init__(
        self,
        outbox: Outbox,
        clock: Callable[[], int],
        rules: TargetRules | None = None,
        *,
        network: httpcore.AsyncNetworkBackend | None = None,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        """``trust``: whose certificates are believed; those the system believes by default."""
        self._outbox = outbox
        self._clock = clock
        self._rules = rules or TargetRules()
        self._network = network or CheckedBackend(self._rules)
        self._trust = trust or ssl.create_default_context()
        self._rests_until_us: dict[int, int] = {}
        self._busy: dict[int, asyncio.Task[None]] = {}
        self._stopped = asyncio.Event()

    async def run(self, stopped: asyncio.Event) -> None:
        """Send until stopped; then finish the requests that are under way, and note what has become of them."""
        self._stopped = stopped
        async with httpcore.AsyncConnectionPool(
            self._trust, max_connections=N_AT_ONCE, keepalive_expiry=IDLE_S, network_backend=self._network
        ) as pool:
            try:
                while not stopped.is_set():
                    wait_s = await self._look(pool)
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(stopped.wait(), wait_s)
            finally:
                self._stopped = asyncio.Event()
                self._stopped.set()  # whatever has ended the loop: those who send look at it
                await asyncio.gather(*self._busy.values())

    async def _look(self, pool: httpcore.AsyncConnectionPool) -> float:
        """Begin with what is due; how long to wait until the next look, in seconds."""
        now_us = self._clock()
        try:
            for hook in await asyncio.to_thread(self._outbox.webhooks):
                is_free = hook.number not in self._busy and self._rests_until_us.get(hook.number, 0) <= now_us
                if len(self._busy) >= N_AT_ONCE or hook.state != "active" or not is_free:
                    continue
                if await asyncio.to_thread(self._outbox.is_due, hook.number, now_us):
                    task = asyncio.create_task(self._send_some(pool, hook.number), name=f"webhook-{hook.number}")
                    self._busy[hook.number] = task
        except StoreFull as error:
            LOG.warning("the store refuses", reason=str(error))
            return RETRY_S
        return POLL_S

    async def _send_some(self, pool: httpcore.AsyncConnectionPool, webhook: int) -> None:
        """Send to a webhook until nothing is due, one fails, or others want their turn."""
        began_us = self._clock()
        try:
            while await self._send_batch(pool, webhook) and not self._is_over(began_us):
                pass
        except StoreFull as error:  # what was sent and not noted is sent again when the lease is over
            LOG.warning("the store refuses", webhook=webhook, reason=str(error))
            self._rest(webhook, RETRY_S)
        except Exception:  # whatever nobody has foreseen: other webhooks go on, and this one is tried again
            LOG.exception("sending failed", webhook=webhook)
            self._rest(webhook, MAX_REST_S)
        finally:
            del self._busy[webhook]

    async def _send_batch(self, pool: httpcore.AsyncConnectionPool, webhook: int) -> bool:
        """Send the next signals in order, until one fails or the time is up; whether there may be more to send."""
        began_us = self._clock()
        claim, lease_us = self._outbox.claim, LEASE_S * 1_000_000
        due = await asyncio.to_thread(claim, began_us, lease_us=lease_us, limit=BATCH_SIGNALS, webhook=webhook)
        settled: list[Settled] = []
        is_held_up = False
        for delivery in due:
            move = next_move(await self._answer(pool, delivery), delivery.attempts, self._clock())
            settled.append(_settled(delivery, move))
            is_held_up = await self._is_held_up(webhook, move)
            if is_held_up or self._is_over(began_us):
                break
        settled += [_put_back(delivery, self._clock()) for delivery in due[len(settled) :]]
        await asyncio.to_thread(self._outbox.settle, settled)
        return len(due) == BATCH_SIGNALS and not is_held_up

    def _rest(self, webhook: int, seconds: float) -> None:
        self._rests_until_us[webhook] = self._clock() + round(seconds * 1_000_000)

    def _is_over(self, began_us: int) -> bool:
        return self._stopped.is_set() or self._clock() - began_us > TURN_S * 1_000_000

    async def _is_held_up(self, webhook: int, move: Move) -> bool:
        """Whether a webhook gets nothing more for now."""
        if move.pauses:
            LOG.warning("paused a webhook", webhook=webhook, reason=f"its receiver answers {GONE} Gone")
            await asyncio.to_thread(self._outbox.set_webhook, webhook, "paused")
        if move.error:
            LOG.info("not delivered", webhook=webhook, state=move.state, status=move.error.partition(":")[0])
        self._rests_until_us[webhook] = move.rest_us
        return move.pauses or move.rest_us > 0

    async def _answer(self, pool: httpcore.AsyncConnectionPool, delivery: Delivery) -> Answer:
        """What comes of one attempt; nothing that a receiver does raises an error here."""
        try:
            url = checked_url(delivery.webhook.url, self._rules)
            body = body_of(delivery.signal)
            headers = headers_of(delivery, body, self._clock())
            async with asyncio.timeout(REQUEST_S):
                return await _posted(pool, url, headers, body)
        except TimeoutError:
            return Answer(told=f"nothing whole within {REQUEST_S} s")
        except (RefusedTarget, TruenorthError) as error:
            return Answer(told=str(error))
        except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError, ssl.SSLError) as error:
            return Answer(told=f"{type(error).__name__}: {error}".removesuffix(": "))


async def _posted(
    pool: httpcore.AsyncConnectionPool, url: httpx.URL, headers: Mapping[str, str], body: bytes
) -> Answer:
    where = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=port_of(url), target=url.raw_path)
    timeouts = dict.fromkeys(("connect", "read", "write", "pool"), float(REQUEST_S))
    sent = [("host", url.netloc.decode("ascii")), *headers.items()]
    async with pool.stream("POST", where, headers=sent, content=body, extensions={"timeout": timeouts}) as response:
        read = b""
        async for part in response.aiter_stream():
            read += part
            if len(read) >= ANSWER_BYTES:
                break
        found = {name.lower(): value.decode("latin-1") for name, value in response.headers}
        return Answer(status=response.status, told=_shown(read), retry_after=found.get(b"retry-after"))


def _shown(answer: bytes) -> str:
    text = answer[:ANSWER_BYTES].decode(errors="replace")
    return "".join(char if char.isprintable() else " " for char in text)[:SHOWN_CHARACTERS].strip()


def _settled(delivery: Delivery, move: Move) -> Settled:
    n_failed = delivery.attempts + (move.state != "delivered")
    return Settled(
        signal=delivery.signal.number,
        webhook=delivery.webhook.number,
        state=move.state,
        attempts=n_failed,
        next_us=move.next_us,
        last_error=move.error,
    )


def _put_back(delivery: Delivery, now_us: int) -> Settled:
    """A delivery that was claimed and not tried."""
    return Settled(
        signal=delivery.signal.number,
        webhook=delivery.webhook.number,
        state="pending",
        attempts=delivery.attempts,
        next_us=now_us,
    )
