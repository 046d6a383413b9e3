"""The service put together: ingest, runner, webhooks out, API; what starts first stops last."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from socket import socket
from time import perf_counter

import msgspec
import structlog
import uvicorn
from fastapi import FastAPI
from structlog.typing import Processor

from truenorth.server.app import make_app
from truenorth.server.connections import BoundedConnection, allow_connections
from truenorth.server.ingest.webhook import Hook
from truenorth.server.ingest_routes import ingest_routes
from truenorth.server.leading_runner import LeadingRunner
from truenorth.server.limits import Limits
from truenorth.server.metrics import MeasuredLog, Metrics, Probes
from truenorth.server.outbox import Sender
from truenorth.server.runner import LATENESS_US, Runner
from truenorth.server.targets import TargetRules
from truenorth.server.who import Who
from truenorth.server.writer import LogWriter
from truenorth.store.opening import Store

GRACE_S = 10
"""How long requests under way may take when the service stops."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How a service runs. ``is_open``: nobody needs a token; only on a loopback address.

    ``runs``: whether this process may lead as the runner; without, it only takes events and answers questions.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    is_open: bool = False
    runs: bool = True
    lateness_us: int = LATENESS_US
    limits: Limits = Limits()


def make_service(
    store: Store, settings: Settings, clock: Callable[[], int], hooks: Mapping[str, Hook] | None = None
) -> FastAPI:
    """The application of a service; starting it starts the writer, the runner and the sender of webhooks."""
    metrics, who = Metrics(), Who(store)
    leading = LeadingRunner(store, lambda: Runner(store, clock=clock, lateness_us=settings.lateness_us))
    writer = LogWriter(
        MeasuredLog(store.events, metrics, perf_counter), settings.limits, on_commit=lambda _: leading.wake()
    )
    sender = Sender(store.outbox, clock, TargetRules(loopback=settings.is_open))

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await writer.start()
        if settings.runs:
            leading.start()
        stopped = asyncio.Event()
        sending = asyncio.create_task(sender.run(stopped), name="truenorth-webhooks")
        try:
            yield
        finally:
            app.state.context.broadcast.close()
            await writer.stop()
            stopped.set()
            await sending
            if settings.runs:
                await asyncio.to_thread(leading.stop)

    return make_app(
        store,
        ingest_routes(writer, store.access, clock, settings.limits, hooks=hooks, links=store.links),
        now_us=clock,
        ids_of=who.ids_of,
        metrics=metrics,
        probes=_probes(store, writer, leading),
        is_open=settings.is_open,
        lifespan=lifespan,
    )


def _probes(store: Store, writer: LogWriter, leading: LeadingRunner) -> Probes:
    def of_runner(ask: Callable[[Runner], int | None]) -> Callable[[], int | None]:
        return lambda: ask(leading.runner) if leading.runner else None

    return Probes(
        waiting_events=lambda: writer.n_waiting,
        is_full=lambda: writer.is_full,
        runner_position=of_runner(lambda runner: runner.position),
        log_position=store.events.last_position,
        watermark_us=of_runner(lambda runner: runner.watermark_us),
        late_events=of_runner(lambda runner: runner.n_late),
        cases_in_memory=of_runner(lambda runner: runner.n_cases),
        outbox_waiting=store.outbox.n_pending,
    )


def run_service(app: FastAPI, settings: Settings, on_started: Callable[[], None]) -> None:
    """Serve until the process is told to stop; then answer what is under way and write what waits."""
    configure_logs()
    allow_connections()
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        http=BoundedConnection,
        log_config=None,
        access_log=False,  # it would show keys in queries
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
    )
    _Server(config, on_started).run()


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, on_started: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_started = on_started

    async def startup(self, sockets: list[socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._on_started()


def configure_logs() -> None:
    """One line of JSON a record on standard error, those of libraries too."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
