"""Answers to requests that are turned away or fail: JSON with a code, what to do, and the request's id."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Scope

from truenorth.server.receiving import RETRY_STORE_SECONDS, Turned, json_answer
from truenorth.spec.problems import Problem, TruenorthError
from truenorth.store.ports import StoreFull

PYDANTIC_EXPECTS = "Input should be "
"""How what Pydantic expects begins: 'expected' says that already."""
SHOWN_PROBLEMS = 100
"""Most problems of one answer."""


def turned_answer(
    scope: Scope, turned: Turned, headers: Mapping[str, str] | None = None, problems: Iterable[Problem] = ()
) -> Response:
    """The answer to a request that is turned away."""
    listed = [msgspec.to_builtins(problem) for problem in problems][:SHOWN_PROBLEMS]
    said = {"code": turned.code, "message": turned.message, "request": request_id(scope), "problems": listed}
    wait = turned.retry_after_seconds
    waiting = {} if wait is None else {"Retry-After": str(wait)}
    return json_answer(said, turned.status, {**(headers or {}), **waiting})


def store_unavailable() -> Turned:
    """The store is full, or does not answer."""
    return Turned(503, "store_unavailable", "the store does not answer; try again", RETRY_STORE_SECONDS)


def request_id(scope: Scope) -> str:
    """The id that a request has in the logs."""
    return str(scope.get("state", {}).get("request_id", ""))


def answer_errors(app: FastAPI) -> None:
    """Have an application answer in this way, whatever happens."""

    @app.exception_handler(Turned)
    def turned(request: Request, error: Turned) -> Response:
        return turned_answer(request.scope, error)

    @app.exception_handler(HTTPException)
    def unknown(request: Request, error: HTTPException) -> Response:
        codes = {400: "unreadable", 404: "unknown_page", 405: "unknown_method", 413: "too_large"}
        message = "there is no such page; see /api/docs" if error.status_code == 404 else str(error.detail)
        refused = Turned(error.status_code, codes.get(error.status_code, "refused"), message)
        return turned_answer(request.scope, refused, error.headers)

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, error: RequestValidationError) -> Response:
        refused = Turned(422, "invalid", "the request is not as expected; 'problems' says where")
        return turned_answer(request.scope, refused, problems=map(_problem, error.errors()))

    @app.exception_handler(TruenorthError)
    def impossible(request: Request, error: TruenorthError) -> Response:
        refused = Turned(422, "invalid", "the input cannot be used; 'problems' says why")
        return turned_answer(request.scope, refused, problems=error.problems)

    @app.exception_handler(StoreFull)
    def unavailable(request: Request, error: StoreFull) -> Response:
        del error  # it names the place of the database
        return turned_answer(request.scope, store_unavailable())


def _problem(error: Mapping[str, Any]) -> Problem:
    """A problem without what was found: it may hold personal data, or text that is no Unicode."""
    kind, *names = error["loc"]
    place = ".".join(str(name) for name in names).encode("utf-8", "replace").decode()
    path = f"{kind}.{place}" if place else str(kind)
    if error["type"] == "missing":
        return Problem(path=path, expected="a value", found="nothing", hint="add it")
    return Problem(path=path, expected=str(error["msg"]).removeprefix(PYDANTIC_EXPECTS), found="something else")
