"""The OpenAPI description as a page that works offline: all it needs comes from this service."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib.resources import files
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from truenorth.server.auth import DOCUMENTS, Needs
from truenorth.server.receiving import json_answer

OPENAPI = f"{DOCUMENTS}/openapi.json"
ASSETS = {"swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css"}
"""Swagger UI as the package `fastapi-offline` ships it."""

PAGE = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Truenorth API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{DOCUMENTS}/swagger-ui.css">
</head>
<body>
<div id="page"></div>
<script src="{DOCUMENTS}/swagger-ui-bundle.js"></script>
<script src="{DOCUMENTS}/start.js"></script>
</body>
</html>
"""
START = f'SwaggerUIBundle({{url: "{OPENAPI}", dom_id: "#page", deepLinking: true, validatorUrl: null}})\n'
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Swagger UI sets styles of elements; scripts come from files only."""


def document_routes(openapi: Callable[[], dict[str, Any]]) -> list[Route]:
    """`/api/docs` and what it loads. ``openapi`` makes the description."""
    return [
        Route(DOCUMENTS, partial(_text, PAGE, "text/html"), methods=["GET"]),
        Route(f"{DOCUMENTS}/start.js", partial(_text, START, "text/javascript"), methods=["GET"]),
        Route(OPENAPI, partial(_described, openapi), methods=["GET"]),
        *(Route(f"{DOCUMENTS}/{name}", partial(_asset, name, kind), methods=["GET"]) for name, kind in ASSETS.items()),
    ]


def _text(text: str, kind: str, request: Request) -> Response:
    Needs("viewer")(request)
    return Response(text, media_type=kind, headers={"Content-Security-Policy": POLICY})


def _described(openapi: Callable[[], dict[str, Any]], request: Request) -> Response:
    Needs("viewer")(request)
    return json_answer(openapi())


def _asset(name: str, kind: str, request: Request) -> Response:
    Needs("viewer")(request)
    return FileResponse(str(files("fastapi_offline") / "static" / name), media_type=kind)
