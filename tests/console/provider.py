"""A made-up provider of OpenID Connect: it vouches for whom a test says, well or badly."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any
from urllib.parse import urlencode

import uvicorn
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from process.service_process import free_port
from truenorth.server.runner import now_us

CLIENT, SECRET = "truenorth", "a secret of the client"
START_S = 30


class MadeUp:
    """``says``: claims that replace what it would say; ``key``: what it signs with."""

    def __init__(self) -> None:
        self.address = f"http://127.0.0.1:{free_port()}"
        self.shown_key = self.key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})
        self.says: dict[str, Any] = {}
        self._nonce = ""
        self.asked: list[dict[str, str]] = []

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._described),
                Route("/authorize", self._authorize),
                Route("/token", self._token, methods=["POST"]),
                Route("/keys", lambda _: JSONResponse({"keys": [self.shown_key.as_dict(private=False)]})),
            ]
        )

    def _described(self, request: Request) -> Response:
        ends = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
        addresses = {name: f"{self.address}/{path}" for name, path in ends.items()}
        return JSONResponse({"issuer": self.address, **addresses, "id_token_signing_alg_values_supported": ["RS256"]})

    def _authorize(self, request: Request) -> Response:
        query = dict(request.query_params)
        self.asked.append(query)
        self._nonce = query["nonce"]
        back = urlencode({"code": "a-code", "state": query["state"]})
        return RedirectResponse(f"{query['redirect_uri']}?{back}")

    def _token(self, request: Request) -> Response:
        now_s = now_us() // 1_000_000
        said = {
            "iss": self.address,
            "sub": "s-1",
            "aud": CLIENT,
            "iat": now_s,
            "exp": now_s + 60,
            "nonce": self._nonce,
            "preferred_username": "olga",
            **self.says,
        }
        signed = jwt.encode({"alg": "RS256", "kid": "one"}, said, self.key)
        return JSONResponse({"access_token": "x", "token_type": "Bearer", "id_token": signed, "expires_in": 60})

    def environment(self) -> dict[str, str]:
        """What a service is told about it."""
        given = {"issuer": self.address, "client_id": CLIENT, "client_secret": SECRET, "name": "Example"}
        given["roles"] = "everybody=viewer service-desk=agent"
        return {f"TRUENORTH_OIDC_{name.upper()}": value for name, value in given.items()}


@contextmanager
def vouching() -> Iterator[MadeUp]:
    """One that listens."""
    made_up = MadeUp()
    port = int(made_up.address.rpartition(":")[2])
    server = uvicorn.Server(uvicorn.Config(made_up.app(), port=port, log_level="error"))
    thread = Thread(target=server.run, daemon=True)
    thread.start()
    until_s = time.monotonic() + START_S
    while not server.started:
        assert time.monotonic() < until_s
        time.sleep(0.05)
    yield made_up
    server.should_exit = True
    thread.join(START_S)
