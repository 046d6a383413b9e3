"""The service put together: ingest, runner, webhooks out, API; what starts first stops last."""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from socket import socket
from time import perf_counter
from typing import Any, NamedTuple, Protocol

import msgspec
import structlog
import uvicorn
from fastapi import FastAPI
from starlette.middleware import Middleware
from structlog.typing import Processor

from truenorth.server.acting.acting import Knowing
from truenorth.server.acting.proposing import Proposer
from truenorth.server.addresses import only_loopback
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
SWITCH_S = 0.0005
"""How long a thread may keep the others from running: those who ask wait for the one that answers all of them."""
NEW_OBJECTS = 20_000
"""At so many new objects Python looks for garbage among them, and every hundredth time among all: everybody waits."""
GRACE_S = 10
"""How long requests under way may take when the service stops."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How a service runs. ``is_open``: nobody needs a token; only on a loopback address.

    ``runner_command`` runs the runner beside this process (`runner_process`); without it, this process only takes
    events and answers questions. ``foreseer_command`` likewise keeps risks up to date. ``bounds``: of the API.
    """

    runner_command: tuple[str, ...] = ()
    foreseer_command: tuple[str, ...] = ()
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

    def beside() -> _Beside:
        context = app.state.context
        return _Beside(
            writer=writer,
            children=[child for child in (runner, foreseer) if child.has_command],
            tasks={
                "webhooks": sender.run,
                "proposals": Proposer(store, context.acting, on_signals).run,
                "given-promises": Clerk(store, clock, who.ids_of).run,
            },
            closed=(context.insights, context.judged, context.queues),
        )

    app = make_app(
        store,
        ingest_routes(writer, store.access, clock, settings.limits, hooks=hooks, links=store.links),
        now_us=clock,
        ids_of=who.ids_of,
        metrics=metrics,
        probes=_probes(store, writer, runner, foreseer),
        is_open=settings.is_open,
        lifespan=lambda _: _at_work(store, beside()),
        bounds=settings.bounds,
        knowing=knowing,
        before=before,
        answer_insights=answer_insights,
    )
    return app


class _Closed(Protocol):
    def close(self) -> None: ...


class _Beside(NamedTuple):
    """What runs while a service answers: ``tasks`` end when they are told to, ``closed`` is closed at the end."""

    writer: LogWriter
    children: Sequence[RunnerProcess]
    tasks: Mapping[str, Callable[[asyncio.Event], Coroutine[Any, Any, None]]]
    closed: Sequence[_Closed]


@asynccontextmanager
async def _at_work(store: Store, beside: _Beside) -> AsyncIterator[None]:
    """While it lasts, all of it runs; then events that wait are written before the rest ends."""
    await beside.writer.start()
    for child in beside.children:
        child.start()
    stopped = asyncio.Event()
    tasks = [asyncio.create_task(run(stopped), name=f"truenorth-{name}") for name, run in beside.tasks.items()]
    tidying = asyncio.create_task(_tidy(store), name="truenorth-checkpoints")
    try:
        yield
    finally:
        tidying.cancel()
        await beside.writer.stop()
        for one in beside.closed:
            await asyncio.to_thread(one.close)
        stopped.set()
        for task in tasks:
            await task
        for child in beside.children:
            await asyncio.to_thread(child.stop)


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
    sockets: list[socket],
    on_started: Callable[[str], None],
    on_stopping: Callable[[], None] = lambda: None,
) -> None:
    """Serve on ``sockets`` that listen until the process is told to stop; then answer and write what is under way.

    ``on_started`` is told the address once it is served; ``on_stopping`` is called, and has to return at once, when the
    process is told to stop. `TruenorthError` for an open service that others than this machine can reach.
    """
    if settings.is_open:
        for one in sockets:
            only_loopback(one.getsockname()[0])
    configure_logs()
    allow_connections()
    lay_out_routes(app)
    config = uvicorn.Config(
        app,
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

    _Server(config, on_started, stop).run(sockets)


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
            gc.set_threshold(NEW_OBJECTS)
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
