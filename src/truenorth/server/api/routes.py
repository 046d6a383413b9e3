"""All endpoints of the API together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import APIRouter, Depends, Security
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer

from truenorth.server.api import (
    access,
    accounts,
    arrivals,
    audit,
    authority,
    books,
    cases,
    customers,
    decisions,
    drafts,
    export,
    funnel,
    futures,
    given,
    insight,
    journeys,
    links,
    maps,
    models,
    promise_ledger,
    quarantine,
    queue,
    risks,
    signals,
    steering,
    summary,
    timeline,
    true_north,
    webhooks,
)
from truenorth.server.api.context import Error
from truenorth.server.api.parameters import only, parameters_of

PREFIX = "/api/v1"
SUBJECTS = (
    journeys,
    true_north,
    drafts,
    maps,
    futures,
    summary,
    promise_ledger,
    cases,
    funnel,
    decisions,
    queue,
    authority,
    books,
    risks,
    models,
    insight,
    signals,
    steering,
    export,
    arrivals,
    quarantine,
    given,
    timeline,
    customers,
    webhooks,
    links,
    accounts,
    access,
    audit,
)
REASONS = {
    400: "the body cannot be read",
    401: "no valid token",
    403: "the token's role is too small",
    404: "there is no such thing",
    409: "not possible as things stand",
    413: "the body is too large",
    422: "the request is not as expected; `problems` says where",
    429: "too many requests; `Retry-After` says how long to wait",
    503: "the store does not answer, or too many listen; `Retry-After` says how long to wait",
}


def api_routes() -> APIRouter:
    """The router of the API, to be included in an application whose state has the `Context`."""
    answers: dict[int | str, dict[str, Any]] = {
        status: {"model": Error, "description": reason} for status, reason in REASONS.items()
    }
    bearer = HTTPBearer(auto_error=False, scheme_name="token", description="a token of the service: `tnt_...`")
    known = {route.endpoint: parameters_of(route.dependant) for route in _routes()}
    router = APIRouter(prefix=PREFIX, responses=answers, dependencies=[Security(bearer), Depends(only(known))])
    for subject in SUBJECTS:
        router.include_router(subject.ROUTER)
    return router


def api_templates() -> dict[Any, str]:
    """The path of each endpoint, as it is written in this package."""
    return {route.endpoint: PREFIX + route.path for route in _routes()}


def _routes() -> Iterator[APIRoute]:
    for subject in SUBJECTS:
        yield from (route for route in subject.ROUTER.routes if isinstance(route, APIRoute))
