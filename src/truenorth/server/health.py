"""Whether the service lives and is ready, for whoever starts and watches it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import structlog
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from truenorth.server.auth import Needs
from truenorth.server.metrics import Asked, Metrics, Probes
from truenorth.server.receiving import json_answer

LOG = structlog.get_logger("truenorth.health")


def health_routes(
    metrics: Metrics, probes: Probes, asked: Asked, answers: Callable[[], object], watermark_age_s: float
) -> list[Route]:
    """`/healthz`, `/readyz` and `/metrics`. ``answers`` asks the store anything; it raises if there is no answer."""
    return [
        Route("/healthz", _healthy, methods=["GET"]),
        Route("/readyz", partial(_ready, probes, asked, answers, watermark_age_s), methods=["GET"]),
        Route("/metrics", partial(_metrics, metrics), methods=["GET"]),
    ]


async def _healthy(request: Request) -> Response:
    del request
    return json_answer({"status": "alive"})


async def _ready(
    probes: Probes, asked: Asked, answers: Callable[[], object], watermark_age_s: float, request: Request
) -> Response:
    del request
    questions: dict[str, Callable[[], bool]] = {
        "store": lambda: answers() is not None,
        "queue": lambda: not (probes.is_full and probes.is_full()),
        "watermark": lambda: (asked.watermark_age_s() or 0) <= watermark_age_s,
    }
    checks = await run_in_threadpool(lambda: {name: _holds(question) for name, question in questions.items()})
    is_ready = all(checks.values())
    return json_answer({"status": "ready" if is_ready else "not ready", "checks": checks}, 200 if is_ready else 503)


def _holds(check: Callable[[], bool]) -> bool:
    try:
        return check()
    except Exception as error:  # whatever is the matter: it is not ready
        LOG.warning("not ready", error=type(error).__name__)
        return False


async def _metrics(metrics: Metrics, request: Request) -> Response:
    Needs("viewer")(request)
    return Response(await run_in_threadpool(metrics.text), media_type=CONTENT_TYPE_LATEST)
