"""The routes of ingest. Raw Starlette: a body goes from its bytes to events without a schema in between."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from http import HTTPStatus
from typing import Any

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from truenorth.server.ingest.cloudevents import is_binary, parse_binary, parse_cloudevents
from truenorth.server.ingest.parsed import Parsed
from truenorth.server.ingest.posthog import parse_posthog
from truenorth.server.ingest.segment import BATCHES, CALLS, parse_segment
from truenorth.server.ingest.signature import verify
from truenorth.server.ingest.webhook import Hook, parse_hook
from truenorth.server.keys import Keys, RememberedKeys, keys_of_request
from truenorth.server.limits import Limits
from truenorth.server.links import FixedLinks, Links, click, is_address, is_person
from truenorth.server.receiving import (
    Intake,
    Received,
    Turned,
    headers_of,
    json_answer,
    no_key,
    receive,
    refusal_answer,
    with_reasons,
)
from truenorth.server.writer import LogWriter

logger = logging.getLogger(__name__)

SEGMENT_PREFIXES = ("/v1", "/api/s", "/api/s/s2s")
"""Segment and RudderStack; Jitsu's browser client; Jitsu's server client."""

RUDDERSTACK_BEACON_PATH = "/beacon/v1/batch"

POSTHOG_PATHS = ("/batch", "/capture")
POSTHOG_BROWSER_PATHS = ("/e", "/i/v0/e")
POSTHOG_V1_PATH = "/i/v1/analytics/events"
POSTHOG_FLAG_PATHS = ("/flags", "/decide")

NO_FLAGS: Mapping[str, Any] = {
    "flags": {},
    "featureFlags": {},
    "featureFlagPayloads": {},
    "errorsWhileComputingFlags": False,
    "hasFeatureFlags": False,
    "config": {"enable_collect_everything": False},
    "supportedCompression": ["gzip", "gzip-js"],
    "sessionRecording": False,
    "siteApps": [],
    "surveys": False,
    "toolbarParams": {},
    "isAuthenticated": False,
}
"""What PostHog's clients ask for before they deliver: there are no flags here, nothing is recorded."""

_CORS = Middleware(
    CORSMiddleware,
    allow_origins=["*"],
    allow_methods=["GET", "POST"],
    allow_headers=["*"],
    allow_credentials=True,  # beacons always ask for it; no route of ingest looks at a cookie
    max_age=86_400,
)

Endpoint = Callable[[Request], Any]


def ingest_routes(
    log_writer: LogWriter,
    keys: Keys,
    now_us: Callable[[], int],
    limits: Limits,
    *,
    hooks: Mapping[str, Hook] | None = None,
    links: Links | None = None,
) -> list[Route]:
    """All routes of ingest, for a Starlette or FastAPI application.

    ``keys`` are asked at most every five seconds about each key. ``now_us``: the clock, microseconds since 1970 UTC.
    ``hooks``: by the name in `/hooks/{name}`. ``links``: found by the name in `/r/{link}`. The writer is to be started
    and stopped by who owns it.
    """
    intake = Intake(log_writer, RememberedKeys(keys, now_us), now_us, limits)
    return [
        *_segment_routes(intake),
        *_posthog_routes(intake),
        _post("/events", partial(_cloudevents, intake)),
        _post("/hooks/{name}", partial(_hook, intake, hooks or {})),
        Route("/r/{link}", partial(_redirect, intake, links or FixedLinks()), methods=["GET"], name="link"),
    ]


def _post(path: str, endpoint: Endpoint) -> Route:
    return Route(path, endpoint, methods=["POST", "OPTIONS"], middleware=[_CORS], name=f"ingest {path}")


def _get(path: str, endpoint: Endpoint) -> Route:
    return Route(path, endpoint, methods=["GET", "OPTIONS"], middleware=[_CORS], name=f"ingest {path}")


def _segment_routes(intake: Intake) -> Iterator[Route]:
    for prefix in SEGMENT_PREFIXES:
        for call in (*CALLS, *BATCHES):
            yield _post(f"{prefix}/{call}", partial(_segment, intake, call))
    yield _post(RUDDERSTACK_BEACON_PATH, partial(_segment, intake, "batch"))
    yield _get("/v1/projects/{key}/settings", partial(_segment_settings, intake))
    yield from (_get(path, partial(_rudderstack_settings, intake)) for path in ("/sourceConfig", "/sourceConfig/"))


def _posthog_routes(intake: Intake) -> Iterator[Route]:
    for path in POSTHOG_PATHS:
        yield from (_post(form, partial(_posthog, intake, _status)) for form in (path, f"{path}/"))
    for path in POSTHOG_BROWSER_PATHS:
        yield from (_post(form, partial(_posthog_browser, intake)) for form in (path, f"{path}/"))
    yield _post(POSTHOG_V1_PATH, partial(_posthog, intake, _results))
    for path in POSTHOG_FLAG_PATHS:
        yield from (_post(form, partial(_posthog_flags, intake)) for form in (path, f"{path}/"))
    yield _get("/array/{key}/config", partial(_posthog_config, intake))


def _success(received: Received, parsed: Parsed) -> dict[str, Any]:
    del received
    return with_reasons({"success": True}, parsed)


def _status(received: Received, parsed: Parsed) -> dict[str, Any]:
    del received
    return with_reasons({"status": 1}, parsed)


def _results(received: Received, parsed: Parsed) -> dict[str, Any]:
    """PostHog's capture v1 wants a result for each uuid; ``drop`` tells the program that sent it."""
    kept = {event.id for event in parsed.events}
    body = received.value
    batch = body.get("batch") if isinstance(body, dict) else body
    sent = [item.get("uuid") for item in batch if isinstance(item, dict)] if isinstance(batch, list) else []
    dropped = {"result": "drop", "details": "no event: the quarantine says why"}
    results = {uuid: {"result": "ok"} if uuid in kept else dropped for uuid in sent if isinstance(uuid, str)}
    return with_reasons({"results": results}, parsed)


async def _segment(intake: Intake, call: str, request: Request) -> Response:
    def parse(received: Received) -> Parsed:
        return parse_segment(received.json(), call, received.arrival())

    return await receive(request, intake, parse, _success)


async def _posthog(intake: Intake, answer: Callable[[Received, Parsed], Any], request: Request) -> Response:
    def parse(received: Received) -> Parsed:
        return parse_posthog(received.json(), received.headers, received.query, received.arrival())

    return await receive(request, intake, parse, answer)


async def _posthog_browser(intake: Intake, request: Request) -> Response:
    """As all of PostHog's, but "busy" is 503: the browser client drops what is answered 429, and repeats after 503."""
    answer = await _posthog(intake, _status, request)
    if answer.status_code == HTTPStatus.TOO_MANY_REQUESTS:
        answer.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    return answer


async def _cloudevents(intake: Intake, request: Request) -> Response:
    def parse(received: Received) -> Parsed:
        if is_binary(received.headers):
            return parse_binary(received.headers, received.unpacked(), received.arrival())
        return parse_cloudevents(received.json(), received.arrival())

    return await receive(request, intake, parse, _success)


async def _hook(intake: Intake, hooks: Mapping[str, Hook], request: Request) -> Response:
    name = request.path_params["name"]
    hook = hooks.get(name)
    if hook is None:
        return refusal_answer(Turned(404, "unknown_hook", "there is no mapping file for a hook of this name"))
    rules = hook.mapping.signature

    def parse(received: Received) -> Parsed:
        if rules is None:
            received.arrival()  # a known key is needed
        elif not verify(rules, hook.secret, received.headers, received.raw, received.received_us):
            message = f"expected a valid signature in {rules.header}; compare the secret on both sides"
            raise Turned(401, "bad_signature", message)
        return parse_hook(hook.mapping, received.json(), received.arrival_from(name))

    return await receive(request, intake, parse, _success, has_own_check=rules is not None)


async def _posthog_flags(intake: Intake, request: Request) -> Response:
    def parse(received: Received) -> Parsed:
        received.json()
        received.arrival()  # a known key is needed
        return Parsed()

    return await receive(request, intake, parse, lambda *_: NO_FLAGS)


async def _posthog_config(intake: Intake, request: Request) -> Response:
    if intake.source_of([request.path_params["key"]]) is None:
        return refusal_answer(no_key())
    return json_answer(NO_FLAGS)


async def _segment_settings(intake: Intake, request: Request) -> Response:
    """What analytics.js asks for before it delivers: the only destination is this service."""
    key = request.path_params["key"]
    if intake.source_of([key]) is None:
        return refusal_answer(no_key())
    destination = {"apiKey": key, "apiHost": f"{request.url.netloc}/v1", "protocol": request.url.scheme}
    return json_answer(
        {
            "integrations": {"Segment.io": destination},
            "plan": {"track": {"__default": {"enabled": True}}},
            "metrics": {"sampleRate": 0},  # the client's own telemetry goes nowhere
        }
    )


async def _rudderstack_settings(intake: Intake, request: Request) -> Response:
    """What RudderStack's browser client asks for before it delivers: a source without destinations or telemetry."""
    source = intake.source_of(keys_of_request(headers_of(request), dict(request.query_params)))
    if source is None:
        return refusal_answer(no_key())
    off = {"enabled": False}
    settings = {"statsCollection": {"errors": off, "metrics": off}}
    return json_answer(
        {
            "source": {
                "id": source,
                "name": source,
                "workspaceId": source,
                "enabled": True,
                "config": settings,
                "destinations": [],
            }
        }
    )


async def _redirect(intake: Intake, links: Links, request: Request) -> Response:
    """To the registered address in any case: a person on the way is not held up because a click cannot be kept."""
    name = request.path_params["link"]
    try:
        link = await asyncio.to_thread(links.find, name)  # a store may be asked
    except Exception as error:  # whatever it raises
        logger.error("the link %r could not be looked up: %s", name, type(error).__name__)  # noqa: TRY400
        return refusal_answer(Turned(503, "no_links", "links cannot be looked up at the moment; try again"))
    if link is None or not is_address(link.url):
        return refusal_answer(Turned(404, "unknown_link", "there is no link of this name"))
    if is_person(request.method, headers_of(request)):
        peer = request.client.host if request.client else ""
        try:
            await intake.keep(click(name, link, request.query_params, peer, intake.now_us()))
        except Turned as turned:
            logger.warning("a click on the link %r was not kept: %s", name, turned.code)
    return RedirectResponse(link.url, 302, {"Cache-Control": "no-store"})
