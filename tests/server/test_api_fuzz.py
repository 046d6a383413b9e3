"""Requests made from the description itself: no failure of the service, and every answer is as described."""

from __future__ import annotations

from typing import Any

import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, assume, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from server.desk import Desk
from truenorth.server.api.routes import api_routes

LONG = 7_000
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


def described() -> Any:
    app = FastAPI()
    app.include_router(api_routes())
    return schemathesis.openapi.from_dict(app.openapi()).exclude(path="/api/v1/stream")


API = described()


def asked(desk: Desk, case: Any, role: str | None) -> Any:
    sent = case.as_transport_kwargs(base_url="http://localhost")
    sent = {name: sent[name] for name in ("method", "url", "params", "headers", "json", "data") if name in sent}
    sent["content"] = sent.pop("data", None)
    assume(len(str(sent.get("params"))) < LONG)  # no server reads an address that long
    return desk.ask(sent.pop("method"), sent.pop("url"), role, **sent)


@API.parametrize()
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_answer_is_as_described(fuzzed_desk: Desk, case: Any) -> None:
    case.headers.pop("Authorization", None)
    case.validate_response(asked(fuzzed_desk, case, "admin"), checks=CHECKS)


@API.parametrize()
@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
def test_nothing_is_answered_without_a_token(fuzzed_desk: Desk, case: Any) -> None:
    answer = asked(fuzzed_desk, case, None)
    assert (answer.status_code, set(answer.json())) == (401, {"code", "message", "request", "problems"})
