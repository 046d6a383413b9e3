"""Signing in through a provider that vouches for people: OpenID Connect, the authorization code flow with PKCE.

Authlib keeps to the protocol: state, nonce, PKCE, the provider's keys, issuer, audience and expiry of what it signs.
Here it is decided who may come in: somebody whose groups, as the provider names them, stand for a role.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, get_args
from urllib.parse import urlsplit

import httpx2
import msgspec
import structlog
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.starlette_client import OAuth
from joserfc.errors import JoseError
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from truenorth.console.door import SIGN_IN
from truenorth.console.sign_in import Provider, SigningIn
from truenorth.server.auth import ROLES
from truenorth.spec.problems import Problem, TruenorthError
from truenorth.store.rows import Role

LOG = structlog.get_logger("truenorth.console")
BEGIN, BACK = f"{SIGN_IN}/provider", f"{SIGN_IN}/provider/back"
FLOW_COOKIE = "truenorth_provider"
FLOW_S = 600
"""How long somebody may take at the provider."""
ANSWER_S = 10.0
"""How long the provider may take to answer."""
PREFIX = "TRUENORTH_OIDC_"
NO_ROLE = "the provider knows you, but none of your groups has a role here; ask who runs this service"
NOT_VOUCHED = "the provider did not vouch for you; try again"
NOT_YOURS = "your account is off, or somebody else has its name; ask who runs this service"


class OidcSettings(msgspec.Struct, frozen=True, kw_only=True):
    """A provider. ``roles``: by group; ``claim``: where the groups stand in what the provider says of somebody."""

    issuer: str
    client_id: str
    client_secret: str
    roles: dict[str, Role]
    claim: str = "groups"
    name: str = "your organisation"

    def role_of(self, claims: Mapping[str, Any]) -> Role | None:
        """The largest role of somebody's groups.

        >>> settings = OidcSettings(issuer="", client_id="", client_secret="", roles={"all": "viewer", "desk": "agent"})
        >>> settings.role_of({"groups": ["all", "desk", "x"]}), settings.role_of({"groups": "x"})
        ('agent', None)
        """
        said = claims.get(self.claim)
        groups = [said] if isinstance(said, str) else said if isinstance(said, list) else []
        found = [self.roles[group] for group in groups if isinstance(group, str) and group in self.roles]
        return max(found, key=ROLES.index, default=None)


def settings_of(environment: Mapping[str, str]) -> OidcSettings | None:
    """The provider that variables name; None where they name none, `TruenorthError` where something is missing.

    >>> settings_of({}) is None
    True
    """
    given = {name: environment.get(PREFIX + name.upper(), "").strip() for name in OidcSettings.__struct_fields__}
    if not given["issuer"]:
        return None
    problems = [
        Problem(path=PREFIX + name.upper(), expected="a value", found="nothing", hint="see docs/console.md")
        for name in ("client_id", "client_secret", "roles")
        if not given[name]
    ]
    issuer = urlsplit(given["issuer"])
    if issuer.scheme != "https" and issuer.hostname not in {"127.0.0.1", "localhost"}:
        hint = "what it says decides who comes in: it must come over TLS"
        problems.append(Problem(path=f"{PREFIX}ISSUER", expected="https://...", found=given["issuer"], hint=hint))
    roles = dict(pair.rpartition("=")[::2] for pair in given["roles"].split())
    for group, role in roles.items():
        if role not in get_args(Role) or not group:
            hint = "write GROUP=ROLE with a role of viewer, agent, analyst, admin, separated by spaces"
            problems.append(Problem(path=f"{PREFIX}ROLES", expected="a role", found=f"{group}={role}", hint=hint))
    if problems:
        raise TruenorthError(problems)
    named = {name: value for name, value in given.items() if value and name != "roles"}
    return msgspec.convert({**named, "roles": roles}, OidcSettings)


class Oidc:
    """Sends people to a provider and lets them in when they come back."""

    def __init__(self, settings: OidcSettings) -> None:
        self._settings = settings
        self.provider = Provider(settings.name, BEGIN)
        self._client = OAuth().register(
            "provider",
            client_id=settings.client_id,
            client_secret=settings.client_secret,
            server_metadata_url=f"{settings.issuer.rstrip('/')}/.well-known/openid-configuration",
            client_kwargs={"scope": "openid profile email", "code_challenge_method": "S256", "timeout": ANSWER_S},
        )

    def routes(self, forms: SigningIn) -> list[Route]:
        """Where people are sent to the provider, and where they come back.

        What has to be the same on both ways is in a signed cookie for these two addresses; its key follows from the
        client's secret, so that any process of a service can take somebody back.
        """
        key = sha256(b"truenorth provider cookie " + self._settings.client_secret.encode()).hexdigest()
        layer = Middleware(
            SessionMiddleware, secret_key=key, session_cookie=FLOW_COOKIE, max_age=FLOW_S, path=BEGIN, same_site="lax"
        )

        async def begin(request: Request) -> Response:
            return await self._begin(request, forms)

        async def back(request: Request) -> Response:
            return await self._back(request, forms)

        return [
            Route(BEGIN, begin, methods=["GET"], middleware=[layer]),
            Route(BACK, back, methods=["GET"], middleware=[layer]),
        ]

    async def _begin(self, request: Request, forms: SigningIn) -> Response:
        request.session.clear()
        request.session["there"] = request.query_params.get("next", "/")
        try:
            there: Response = await self._client.authorize_redirect(request, f"{_base(request)}{BACK}")
        except (httpx2.HTTPError, ValueError, KeyError, RuntimeError) as error:
            LOG.warning("the provider does not answer", error=type(error).__name__)
            return forms.page("Sign in", problem="the provider does not answer; try again", status=503)
        return there

    async def _back(self, request: Request, forms: SigningIn) -> Response:
        there = str(request.session.get("there", "/"))
        try:
            token = await self._client.authorize_access_token(request)
            claims = token["userinfo"]
            issuer, subject = str(claims["iss"]), str(claims["sub"])
        except (AuthlibBaseError, JoseError, httpx2.HTTPError, ValueError, KeyError) as error:
            LOG.warning("the provider does not vouch", error=type(error).__name__)
            return forms.page("Sign in", problem=NOT_VOUCHED, status=401)
        finally:
            request.session.clear()
        role = self._settings.role_of(claims)
        if role is None:
            return forms.page("Sign in", problem=NO_ROLE, status=403)
        now_us = forms.now_us()
        name = name_of(claims)
        account = await run_in_threadpool(forms.accounts.vouched, issuer, subject, name, role, now_us=now_us)
        if account is None:
            return forms.page("Sign in", problem=NOT_YOURS, status=403)
        return await run_in_threadpool(forms.enter, request, account, there)


def name_of(claims: Mapping[str, Any]) -> str:
    """What somebody is called here: by what the provider calls them, with the characters that a name may have.

    >>> name_of({"preferred_username": "ann.lee"}), name_of({"email": "bo+x@example.org"}), name_of({"sub": "7|f"})
    ('ann.lee', 'bo.x.example.org', '7.f')
    """
    called = next(str(claims[one]) for one in ("preferred_username", "email", "sub") if claims.get(one))
    return re.sub(r"[^A-Za-z0-9_.-]", ".", called).lstrip("_.-")[:80] or "somebody"


def _base(request: Request) -> str:
    return str(request.base_url).rstrip("/")
