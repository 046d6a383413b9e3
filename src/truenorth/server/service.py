"""The service put together: ingest, runner, webhooks out, API; what starts first stops last."""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from socket import socket
from time import perf_counter

import msgspec
import structlog
import uvicorn
from fastapi import FastAPI
from starlette.middleware import Middleware
from structlog.typing import Processor

from truenorth.server.acting.acting import Knowing
from truenorth.server.acting.proposing import Proposer
from truenorth.server.api.bounds import Bounds
from truenorth.server.app import make_app
from truenorth.server.connections import BoundedConnection, allow_connections
from truenorth.server.given.clerk import Clerk
from truenorth.server.ingest.webhook import Hook
from truenorth.server.ingest_routes import ingest_routes
from truenorth.server.insight_making import Work
from truenorth.server.limits import Limits
from truenorth.server.metrics import Metrics, Probes, measured
from truenorth.server.outbox import Sender
from truenorth.server.runner_process import RunnerProcess
from truenorth.server.targets import TargetRules
from truenorth.server.who import Who
from truenorth.server.writer import LogWriter
from truenorth.store.opening import Store
from truenorth.store.ports import StoreFull

LOG = structlog.get_logger("truenorth.service")
CHECKPOINT_S = 1.0
"""Between two checkpoints of SQLite."""
SOCKET_BYTES = 1_000_000
"""Largest message that a page of the console may send."""
GRACE_S = 10
"""How long requests under way may take when the service stops."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How a service runs. ``is_open``: nobody needs a token; only on a loopback address.

    ``runner_command`` runs the runner beside this process (`runner_process`); without it, this process only takes
    events and answers questions. ``foreseer_command`` likewise keeps risks up to date. ``bounds``: of the API.
    """

    runner_command: tuple[str, ...] = ()
    foreseer_command: tuple[str, ...] = ()
    host: str = "127.0.0.1"
    port: int = 8080
    is_open: bool = False
    limits: Limits = Limits()
    bounds: Bounds = Bounds()


def make_service(
    store: Store,
    settings: Settings,
    clock: Callable[[], int],
    hooks: Mapping[str, Hook] | None = None,
    knowing: Knowing = Knowing(),  # noqa: B008  # frozen
    before: Sequence[Middleware] = (),
    answer_insights: Work | None = None,
) -> FastAPI:
    """The application of a service; starting it starts the writer, the runner, webhooks and proposals.

    ``knowing``: what decisions know of risks and effects. ``before``, ``answer_insights``: see `make_app`.
    """
    metrics, who = Metrics(), Who(store)

    def on_signals() -> None:
        app.state.context.broadcast.wake()

    def on_judged() -> None:
        foreseer.wake()
        on_signals()

    foreseer = RunnerProcess(settings.foreseer_command, on_signals)
    runner = RunnerProcess(settings.runner_command, on_judged)
    writer = LogWriter(
        measured(store.events, metrics, perf_counter), settings.limits, on_commit=lambda _: runner.wake()
    )
    sender = Sender(store.outbox, clock, TargetRules(loopback=settings.is_open))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await writer.start()
        if settings.runner_command:
            runner.start()
        if settings.foreseer_command:
            foreseer.start()
        stopped = asyncio.Event()
        sending = asyncio.create_task(sender.run(stopped), name="truenorth-webhooks")
        proposer = Proposer(store, app.state.context.acting, on_signals)
        proposing = asyncio.create_task(proposer.run(stopped), name="truenorth-proposals")
        clerk = Clerk(store, clock, who.ids_of)
        settling = asyncio.create_task(clerk.run(stopped), name="truenorth-given-promises")
        tidying = asyncio.create_task(_tidy(store), name="truenorth-checkpoints")
        try:
            yield
        finally:
            tidying.cancel()
            await writer.stop()
            for beside in (app.state.context.insights, app.state.context.judged, app.state.context.queues):
                await asyncio.to_thread(beside.close)
            stopped.set()
            await sending
            await proposing
            await settling
            if settings.runner_command:
                await asyncio.to_thread(runner.stop)
            if settings.foreseer_command:
                await asyncio.to_thread(foreseer.stop)

    app = make_app(
        store,
        ingest_routes(writer, store.access, clock, settings.limits, hooks=hooks, links=store.links),
        now_us=clock,
        ids_of=who.ids_of,
        metrics=metrics,
        probes=_probes(store, writer, runner, foreseer),
        is_open=settings.is_open,
        lifespan=lifespan,
        bounds=settings.bounds,
        knowing=knowing,
        before=before,
        answer_insights=answer_insights,
    )
    return app


async def _tidy(store: Store) -> None:
    """Keep the write-ahead log short, so that no commit has to."""
    while True:
        await asyncio.sleep(CHECKPOINT_S)
        try:
            await asyncio.to_thread(store.database.checkpoint)
        except StoreFull as error:
            LOG.warning("no checkpoint", reason=str(error))


def _probes(store: Store, writer: LogWriter, runner: RunnerProcess, foreseer: RunnerProcess) -> Probes:
    def overdue_s() -> float | None:
        waited_us = foreseer.status.overdue_us
        return None if waited_us is None else waited_us / 1e6

    return Probes(
        waiting_events=lambda: writer.n_waiting,
        is_full=lambda: writer.is_full,
        runner_position=lambda: runner.status.position,
        log_position=store.events.last_position,
        watermark_us=lambda: runner.status.watermark_us,
        late_events=lambda: runner.status.n_late,
        cases_in_memory=lambda: runner.status.n_cases,
        outbox_waiting=store.outbox.n_pending,
        foreseer_position=lambda: foreseer.status.position,
        foreseer_cases=lambda: foreseer.status.n_cases,
        foreseer_overdue_s=overdue_s,
    )


def run_service(
    app: FastAPI,
    settings: Settings,
    on_started: Callable[[str], None],
    on_stopping: Callable[[], None] = lambda: None,
) -> None:
    """Serve until the process is told to stop; then answer what is under way and write what waits.

    ``on_started`` is told the address once it listens; ``on_stopping`` is called, and has to return at once, when the
    process is told to stop.
    """
    configure_logs()
    allow_connections()
    lay_out_routes(app)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        http=BoundedConnection,
        ws="websockets-sansio",
        ws_max_size=SOCKET_BYTES,
        log_config=None,
        access_log=False,  # it would show keys in queries
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
    )

    def stop() -> None:
        on_stopping()
        app.state.context.broadcast.close()  # streams would be waited for

    _Server(config, on_started, stop).run()


def lay_out_routes(app: FastAPI) -> None:
    """Have the framework work out its routes now: else whoever asks first waits for it, and so do all others."""
    nowhere = {"type": "http", "method": "GET", "path": "/ ", "root_path": "", "headers": []}
    for route in app.router.routes:
        route.matches(nowhere)


class _Server(uvicorn.Server):
    def __init__(
        self, config: uvicorn.Config, on_started: Callable[[str], None], on_stopping: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._on_started = on_started
        self._on_stopping = on_stopping

    async def startup(self, sockets: list[socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            gc.freeze()  # what is loaded stays: looking through it for garbage would hold up answers
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            self._on_started(f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}")

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        self._on_stopping()
        await super().shutdown(sockets)


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
