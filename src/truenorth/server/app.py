"""The service as one application: ingest, the API, health, and what goes around them."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Sequence
from time import perf_counter

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.routing import Route
from starlette.types import Lifespan

from truenorth.server.acting.acting import ID_BYTES, Acting, Knowing
from truenorth.server.acting.queueing import Queues
from truenorth.server.answers import answer_errors
from truenorth.server.api.books import evaluate, keep_ledger
from truenorth.server.api.bounds import Bounds
from truenorth.server.api.context import Context
from truenorth.server.api.promise_ledger import promise_ledger, tell_broken
from truenorth.server.api.routes import api_routes, api_templates
from truenorth.server.api.totals import Remembered, Reused, Totals
from truenorth.server.api.true_north import stand
from truenorth.server.auth import Door
from truenorth.server.broadcast import Broadcast
from truenorth.server.documents import document_routes
from truenorth.server.envelope import BodyBound, Envelope
from truenorth.server.given.clerk import Clerk
from truenorth.server.health import health_routes
from truenorth.server.insight_making import MakerBeside, MakerHere, Work
from truenorth.server.insights import InsightBounds, Insights
from truenorth.server.judged_logs import JudgedLogs
from truenorth.server.metrics import Asked, Metrics, Probes
from truenorth.server.newest import Newest
from truenorth.server.passwords import Passwords
from truenorth.server.rate import Allowance
from truenorth.server.targets import TargetRules
from truenorth.store.opening import Store
from truenorth.store.rows import Signal
from truenorth.store.settings import Entropy

REQUEST_ID_BYTES = 8
ABOUT = "Whether customers get the outcome they came for, which promises were broken on the way, and why."


def make_app(  # noqa: PLR0913  # all that a service is made of
    store: Store,
    ingest: Sequence[Route] = (),
    *,
    now_us: Callable[[], int],
    ids_of: Callable[[str], tuple[str, ...]],
    metrics: Metrics | None = None,
    probes: Probes = Probes(),  # noqa: B008  # frozen
    bounds: Bounds = Bounds(),  # noqa: B008  # frozen
    is_open: bool = False,
    targets: TargetRules | None = None,
    entropy: Entropy = os.urandom,
    elapsed_s: Callable[[], float] = perf_counter,
    lifespan: Lifespan[FastAPI] | None = None,
    knowing: Knowing = Knowing(),  # noqa: B008  # frozen
    before: Sequence[Middleware] = (),
    answer_insights: Work | None = None,
) -> FastAPI:
    """The application of a store.

    ``ingest``: the routes that take events. ``now_us``: the clock, microseconds since 1970 UTC; ``elapsed_s`` measures
    durations. ``ids_of``: all ids of the person of an id. ``metrics``: the ones that a `measured` log counts in.
    ``is_open``: requests need no token; only for a service that listens on loopback (`addresses.only_loopback`).
    ``targets``: where webhooks may be sent; public addresses only, and this machine where the service is open.
    ``lifespan``: starts and stops what belongs to whoever composes; call ``app.state.context.broadcast.close()`` first
    when stopping, so that streams end. ``knowing``: what decisions know of risks and effects. ``before``: layers that
    stand before the door of the API, the outermost first; they may say who has signed in (`auth.SIGNED_IN`).
    ``answer_insights``: what a process of its own does that makes insights (`insight_making.answer_questions`); without
    it they are made in a thread, and whoever sends events waits meanwhile.
    """
    metrics = metrics or Metrics()
    asked = Asked(probes, now_us)
    metrics.registry.register(asked)
    app = FastAPI(title="Truenorth", description=ABOUT, version="1", openapi_url=None, lifespan=lifespan)
    targets = targets or TargetRules(loopback=is_open)
    app.state.context = _context(store, now_us, ids_of, bounds, targets, entropy, elapsed_s, knowing, answer_insights)
    health = health_routes(metrics, probes, asked, store.events.last_position, bounds.watermark_age_seconds)
    routes = [*document_routes(app.openapi), *health, *ingest]
    app.router.routes.extend(routes)
    app.include_router(api_routes())  # last: it tries each of its many
    answer_errors(app)
    _surround(app, store, bounds, elapsed_s, is_open=is_open, ingest={route.path for route in ingest})
    for layer in reversed(before):
        app.add_middleware(layer.cls, *layer.args, **layer.kwargs)
    app.add_middleware(
        Envelope,
        metrics=metrics,
        new_id=lambda: entropy(REQUEST_ID_BYTES).hex(),
        elapsed_s=elapsed_s,
        templates={**api_templates(), **{route.endpoint: route.path for route in routes}},
    )
    return app


def _context(  # noqa: PLR0913, PLR0917  # all that the routes share
    store: Store,
    now_us: Callable[[], int],
    ids_of: Callable[[str], tuple[str, ...]],
    bounds: Bounds,
    targets: TargetRules,
    entropy: Entropy,
    elapsed_s: Callable[[], float],
    knowing: Knowing,
    answer_insights: Work | None,
) -> Context:
    """What the API's routes share."""
    totals, judged = Totals(store.results, elapsed_s), JudgedLogs(store, elapsed_s)

    def outcomes_of(journey: str) -> dict[str, int]:
        found: dict[str, int] = totals.of(journey)[1]["outcome"]
        return found

    context = Context(
        store=store,
        now_us=now_us,
        ids_of=ids_of,
        entropy=entropy,
        bounds=bounds,
        broadcast=_broadcast(store, bounds),
        totals=totals,
        standings=Reused(lambda key: stand(context, key), elapsed_s),
        ledgers=Reused(lambda key: keep_ledger(store, key), elapsed_s),
        evaluations=Reused(lambda key: evaluate(store, key), elapsed_s),
        promise_ledgers=Reused(lambda asked: promise_ledger(store, now_us(), asked), elapsed_s),
        broken_told=Remembered(lambda key: tell_broken(context, key)),
        targets=targets,
        acting=Acting(
            store,
            now_us=now_us,
            new_id=lambda: entropy(ID_BYTES).hex(),
            ids_of=ids_of,
            outcomes_of=outcomes_of,
            knowing=knowing,
        ),
        judged=judged,
        queues=Queues(
            store,
            now_us=now_us,
            elapsed_s=elapsed_s,
            outcomes_of=outcomes_of,
            words=Clerk(store, now_us, ids_of).waiting,
        ),
        insights=_insights(store, judged, bounds, now_us, elapsed_s, answer_insights),
        passwords=Passwords(store.accounts, elapsed_s),
        newest=Newest(store.events, elapsed_s),
    )
    return context


def _surround(
    app: FastAPI,
    store: Store,
    bounds: Bounds,
    elapsed_s: Callable[[], float],
    *,
    is_open: bool,
    ingest: Collection[str],
) -> None:
    """The bound of bodies, and the door before it; neither is for the paths of ingest."""
    app.add_middleware(BodyBound, below="/api/", most_bytes=bounds.body_bytes, ingest=ingest)
    app.add_middleware(
        Door,
        token_of=store.access.token_of,
        per_token=Allowance(bounds.per_token, elapsed_s),
        per_address=Allowance(bounds.per_address, elapsed_s),
        is_open=is_open,
        ingest=ingest,
    )


def _broadcast(store: Store, bounds: Bounds) -> Broadcast:
    def read(after: int, limit: int) -> Sequence[Signal]:
        return store.signals.read(after, limit=limit)

    return Broadcast(
        read, store.signals.last_number, heartbeat_s=bounds.heartbeat_seconds, waiting=bounds.stream_waiting
    )


def _insights(
    store: Store,
    judged: JudgedLogs,
    bounds: Bounds,
    now_us: Callable[[], int],
    elapsed_s: Callable[[], float],
    answer_insights: Work | None,
) -> Insights:
    of_insight = InsightBounds(
        events=bounds.insight_events,
        waiting=bounds.insight_waiting,
        kept=bounds.insight_kept,
        age_seconds=bounds.insight_age_seconds,
    )
    here = MakerHere(judged, bounds.insight_age_seconds, elapsed_s)
    maker = MakerBeside(answer_insights, bounds.insight_seconds) if answer_insights else here
    return Insights(store, maker, of_insight, now_us, elapsed_s)
