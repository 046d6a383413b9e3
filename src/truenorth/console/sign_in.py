"""Signing in and out, a new password, and the links that make accounts: small forms that need no script."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import jinja2
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from truenorth.console.door import COOKIE, SESSION_S, SIGN_IN
from truenorth.console.roles import named
from truenorth.server import passwords
from truenorth.server.api.context import NAME_PATTERN
from truenorth.server.auth import ANYBODY, SIGNED_IN, Caller
from truenorth.server.rate import network_of
from truenorth.store.accounts import Account, Accounts
from truenorth.store.registry import Audit

HERE = Path(__file__).parent
ACCOUNT = "/account"
JOIN = "/join"
JOIN_S = 7 * 24 * 3600
"""How long a link that invites somebody holds."""
FORM_BYTES = 10_000
"""Largest form."""
GOOD = f"at least {passwords.MIN_CHARACTERS} characters; several words are easy to keep in mind"
CHANGED = "Your password is changed. Wherever else you were signed in, you are so no more."
NOT_PRESENT = "this is not your present password"
WRONG = "this name and password do not go together, or the account is off"
OVER = "this link holds no more: it was used, has expired, or was replaced; ask for a new one"
TAKEN = "there is an account of this name already; choose another"


class Input(NamedTuple):
    """A field of a form."""

    name: str
    label: str
    kind: str = "text"
    autocomplete: str = "username"
    value: str = ""
    hint: str = ""
    fixed: bool = False


class Provider(NamedTuple):
    """Somebody who vouches for people, as the form offers them."""

    name: str
    address: str


@dataclass(frozen=True, kw_only=True)
class SigningIn:
    """The forms of a console. ``provider`` is offered beside passwords."""

    accounts: Accounts
    audit: Audit
    passwords: passwords.Passwords
    now_us: Callable[[], int]
    is_open: bool = False
    is_embedded: bool = False
    provider: Provider | None = None
    _pages: jinja2.Environment = field(
        default_factory=lambda: jinja2.Environment(
            loader=jinja2.FileSystemLoader(HERE / "templates"), autoescape=True, undefined=jinja2.StrictUndefined
        )
    )

    def routes(self) -> list[Route | Mount]:
        """Where they are."""
        return [
            Route(SIGN_IN, self._ask, methods=["GET"]),
            Route(SIGN_IN, self._sign_in, methods=["POST"]),
            Route(ACCOUNT, self._own, methods=["GET"]),
            Route(ACCOUNT, self._change, methods=["POST"]),
            Route("/sign-out", self._sign_out, methods=["POST"]),
            Route(f"{JOIN}/{{secret}}", self._invited, methods=["GET"]),
            Route(f"{JOIN}/{{secret}}", self._join, methods=["POST"]),
            Mount("/_console", StaticFiles(directory=HERE / "static")),
        ]

    def enter(self, request: Request, account: Account, there: str) -> Response:
        """Begin a session, and go where somebody wanted to go; the cookie is for this host and scripts cannot read it.

        Blocks: the store is written.
        """
        self.audit.note(account.name, "signed in", now_us=self.now_us())
        return self._with_session(RedirectResponse(_local(there), 303), request, account.name)

    def _with_session(self, response: Response, request: Request, name: str) -> Response:
        now_us = self.now_us()
        secret = self.accounts.begin_session(name, now_us=now_us, expires_us=now_us + SESSION_S * 1_000_000)
        response.set_cookie(
            COOKIE,
            secret,
            max_age=SESSION_S,
            httponly=True,
            secure=request.url.scheme == "https",
            samesite="none" if self.is_embedded and request.url.scheme == "https" else "lax",
        )
        return response

    def page(self, title: str, *, status: int = 200, **given: Any) -> Response:
        """A page with a form, or with why there is none."""
        filled = {
            "fields": (),
            "button": "",
            "next": "",
            "problem": "",
            "says": "",
            "provider": None,
            "leads_back": False,
            **given,
        }
        return HTMLResponse(self._pages.get_template("form.html").render(title=title, **filled), status)

    def _ask(self, request: Request) -> Response:
        if self.is_open:
            return RedirectResponse("/", 303)
        return self._form(request.query_params.get("next", "/"))

    def _form(self, there: str, name: str = "", problem: str = "", status: int = 200) -> Response:
        inputs = (
            Input("name", "Name", value=name),
            Input("password", "Password", "password", "current-password"),
        )
        return self.page(
            "Sign in",
            fields=inputs,
            button="Sign in",
            next=there,
            problem=problem,
            status=status,
            provider=self.provider,
        )

    async def _sign_in(self, request: Request) -> Response:
        form = await _form_of(request)
        name, there = form.get("name", "").strip(), form.get("next", "/")
        if too_often := self._too_often(request, name):
            return self._form(there, name, too_often, 429)
        account = await run_in_threadpool(self.passwords.account, name, form.get("password", ""))
        if account is None:
            return self._form(there, name, WRONG, 401)
        return await run_in_threadpool(self.enter, request, account, there)

    def _too_often(self, request: Request, name: str) -> str | None:
        wait_s = self.passwords.wait_s(name, network_of(request.client.host if request.client else ""))
        return f"too many tries; wait {ceil(wait_s)} seconds" if wait_s else None

    def _own(self, request: Request) -> Response:
        caller: Caller = getattr(request.state, SIGNED_IN)
        if caller == ANYBODY:
            return RedirectResponse("/", 303)
        return self._own_page(caller)

    def _own_page(self, caller: Caller, problem: str = "", status: int = 200) -> Response:
        account = self.accounts.find(caller.who)
        says = f"You are signed in as {caller.who}, {named(caller.role)}."
        if account is not None and account.issuer is not None:
            said = f"{says} Your password is kept by {account.issuer}: change it there."
            return self.page("Your account", says=said, leads_back=True)
        inputs = (
            Input("name", "Name", value=caller.who, fixed=True),
            Input("present", "Present password", "password", "current-password"),
            Input("password", "New password", "password", "new-password", hint=GOOD),
        )
        return self.page(
            "Your account",
            fields=inputs,
            button="Change the password",
            says=says,
            problem=problem,
            status=status,
            leads_back=True,
        )

    async def _change(self, request: Request) -> Response:
        caller: Caller = getattr(request.state, SIGNED_IN)
        form = await _form_of(request)
        if too_often := self._too_often(request, caller.who):
            return self._own_page(caller, too_often, 429)
        return await run_in_threadpool(self._changed, request, caller, form)

    def _changed(self, request: Request, caller: Caller, form: dict[str, str]) -> Response:
        """The session goes on under another secret: whoever has a copy of the old one is signed out, too."""
        new = form.get("password", "")
        if problem := passwords.problem_of(new, caller.who):
            return self._own_page(caller, problem, 422)
        if not self.passwords.change(caller.who, form.get("present", ""), new):
            return self._own_page(caller, NOT_PRESENT, 403)
        self.audit.note(caller.who, "changed their password", now_us=self.now_us())
        return self._with_session(self.page("Your account", says=CHANGED, leads_back=True), request, caller.who)

    def _sign_out(self, request: Request) -> Response:
        secret = request.cookies.get(COOKIE)
        if secret:
            self.accounts.end_session(secret)
        response = RedirectResponse(SIGN_IN, 303)
        response.delete_cookie(COOKIE)
        return response

    def _invited(self, request: Request) -> Response:
        invited = self.accounts.invitation(request.path_params["secret"], now_us=self.now_us())
        if invited is None:
            return self.page("Join", problem=OVER, status=404)
        return self._joining(invited.name)

    def _joining(self, invited: str | None, name: str = "", problem: str = "", status: int = 200) -> Response:
        inputs = (
            Input("name", "Name", value=invited or name, fixed=invited is not None, hint="letters, digits, . _ and -"),
            Input("password", "Password", "password", "new-password", hint=GOOD),
        )
        return self.page("Join", fields=inputs, button="Join", problem=problem, status=status)

    async def _join(self, request: Request) -> Response:
        form = await _form_of(request)
        return await run_in_threadpool(self._joined, request, form)

    def _joined(self, request: Request, form: dict[str, str]) -> Response:
        secret, now_us = request.path_params["secret"], self.now_us()
        invited = self.accounts.invitation(secret, now_us=now_us)
        if invited is None:
            return self.page("Join", problem=OVER, status=404)
        name, password = invited.name or form.get("name", "").strip(), form.get("password", "")
        is_name = NAME_PATTERN.fullmatch(name) is not None
        problem = passwords.problem_of(password, name) if is_name else "expected a name of letters, digits, . _ and -"
        if problem is not None:
            return self._joining(invited.name, name, problem, 422)
        account = self.accounts.accept(secret, name, passwords.kept(password), now_us=now_us)
        if account is None:
            return self._joining(invited.name, name, TAKEN, 409)
        self.audit.note(account.name, f"joined as {account.role}", now_us=now_us)
        return self.enter(request, account, "/")


async def _form_of(request: Request) -> dict[str, str]:
    """The texts of a form of bounded size."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > FORM_BYTES:
            return {}
    pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=20)
    return {name: value.replace("\0", "") for name, value in pairs}


def _local(there: str) -> str:
    r"""An address of this service, whatever was asked for.

    >>> _local("/now?journey=x"), _local("//evil.example"), _local("https://evil.example"), _local("/\\evil.example")
    ('/now?journey=x', '/', '/', '/')
    """
    is_local = there.startswith("/") and not there.startswith("//") and "\\" not in there and there.isprintable()
    return there if is_local else "/"
