"""The console put on an application: its pages, forms and files, and the layer before them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import structlog
from fastapi import FastAPI
from nicegui import core, ui
from nicegui.middlewares import RedirectWithPrefixMiddleware, SetCacheControlMiddleware
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Match, Mount, Route
from starlette.types import Scope

from truenorth.console.door import ASSETS, COOKIE, SOCKET, ConsoleDoor
from truenorth.console.first_look import add_first_look
from truenorth.console.following import Followers
from truenorth.console.handlers import keep_signatures
from truenorth.console.oidc import Oidc
from truenorth.console.reader import Reader
from truenorth.console.registry import Page, Registry
from truenorth.console.roles import HOME, named
from truenorth.console.shell import CSV, show_failure, show_page, show_refusal
from truenorth.console.sight import Sight
from truenorth.console.sign_in import ACCOUNT, SigningIn
from truenorth.console.tour import COOKIE as TOUR_COOKIE
from truenorth.console.tour import Step, place_of, show_tour
from truenorth.console.turns import Turns
from truenorth.console.writing import Writing, writing_of
from truenorth.server.answers import request_id as request_id_of
from truenorth.server.api.context import Context
from truenorth.server.auth import ANYBODY, GUARDED, SIGNED_IN, Caller
from truenorth.server.envelope import places_of
from truenorth.server.receiving import Turned
from truenorth.store.accounts import Accounts
from truenorth.store.registry import Audit

LOG = structlog.get_logger("truenorth.console")
BUILD_S = 30.0
"""How long a page may take to be made before its reader is told so."""
QUICK = 3
"""How hard pages are compressed: each is made anew, and a little larger is sooner there than a little later."""
NO_PAGE = "Its address may have been cut when it was copied, or belong to another version of this service."
STATIC_PATHS = ("/favicon.ico",)
DESK = "/desk"
"""Leads to the first page below it."""


@dataclass(frozen=True, kw_only=True)
class Console:
    """The console of a service. One process has one: what draws the pages keeps them in one place.

    ``embedded_in``: origins that may show `/panel` in a frame. ``oidc``: who vouches for people beside passwords.
    ``tour``: the steps of a guided tour, for a demo.
    """

    registry: Registry
    accounts: Accounts
    audit: Audit
    now_us: Callable[[], int]
    is_open: bool = False
    embedded_in: tuple[str, ...] = ()
    oidc: Oidc | None = None
    tour: tuple[Step, ...] = ()
    _served: list[Context] = field(default_factory=list)
    _followers: Followers = field(default_factory=Followers)
    _turns: Turns = field(default_factory=Turns)

    def layers(self) -> list[Middleware]:
        """What stands before the API's door (`make_app`)."""
        door = Middleware(
            ConsoleDoor,
            accounts=self.accounts,
            now_us=self.now_us,
            is_page=self.has,
            is_open=self.is_open,
            embedded_in=self.embedded_in,
        )
        return [door]

    def has(self, path: str) -> bool:
        """Whether an address is the console's, and for those who have signed in."""
        below = any(path.startswith(f"{one}/") for one in (ASSETS, SOCKET, CSV))
        return path in {"/", DESK, ACCOUNT} or path in STATIC_PATHS or below or self.registry.has(path)

    def mount(self, app: FastAPI) -> None:
        """Put it on an application that was made with `layers`."""
        keep_signatures()
        self._served.append(app.state.context)
        forms = SigningIn(
            accounts=self.accounts,
            audit=self.audit,
            passwords=app.state.context.passwords,
            now_us=self.now_us,
            is_open=self.is_open,
            is_embedded=bool(self.embedded_in),
            provider=self.oidc.provider if self.oidc else None,
        )
        _answer_missing_pages(app, forms)
        provided = self.oidc.routes(forms) if self.oidc else []
        first = [Route("/", self._first), Route(DESK, self._desk), Route(f"{CSV}/{{path:path}}", self._csv)]
        for page in self.registry:
            made = ui.page(page.path, title=f"{page.title} · Truenorth", language="en-US", response_timeout=BUILD_S)
            made(self._builder(page))
        ui.run_with(
            app,
            title="Truenorth",
            favicon="🧭",
            binding_refresh_interval=None,
            tailwind=False,
            show_welcome_message=False,
            gzip_middleware_factory=partial(GZipMiddleware, compresslevel=QUICK),
        )
        slow: tuple[Any, ...] = (RedirectWithPrefixMiddleware, SetCacheControlMiddleware)
        core.app.user_middleware[:] = [
            one for one in core.app.user_middleware if one.cls not in slow
        ]  # they fail where a browser goes away
        pages = app.router.routes.pop()
        assert isinstance(pages, Mount)
        Writing().instant(self.now_us())  # loads how instants are written: else the first readers wait for it
        own = [*provided, *forms.routes(), *first, _Only(self.has, app=core.app)]
        app.router.routes[:0] = own  # before the API's: each of its many would be tried first

    def sight(self, request: Request, page: Page, parts: Mapping[str, str]) -> Sight:
        """A page with the filters of a request, its query and ``parts`` of its path, as whoever asks sees it."""
        given = {**request.query_params, **parts}
        return Sight(self._reader(request), page, page.read(given))

    def _reader(self, request: Request) -> Reader:
        secret = request.cookies.get(COOKIE)

        def who_now() -> Caller | None:
            account = self.accounts.signed_in(secret, now_us=self.now_us()) if secret else None
            if account is not None:
                return Caller(account.name, account.role)
            return ANYBODY if self.is_open else None

        caller: Caller = getattr(request.state, SIGNED_IN)
        writing = writing_of(request.headers, request.cookies)
        return Reader(
            served=self._served[0], caller=caller, who_now=who_now, writing=writing, followers=self._followers
        )

    def _builder(self, page: Page) -> Callable[[Request], Any]:
        async def build(request: Request) -> None:
            try:
                async with self._turns.turn():
                    await self._build(request, page)
            except Exception as error:  # whatever it is; its message may quote somebody's data
                request_id = request_id_of(request.scope)
                LOG.error("failed", request=request_id, error=type(error).__name__, at=places_of(error))  # noqa: TRY400
                ui.context.client.layout.clear()
                show_failure(request_id)

        return build

    async def _build(self, request: Request, page: Page) -> None:
        sight = self.sight(request, page, request.path_params)
        ui.dark_mode({"dark": True, "light": False}.get(request.cookies.get("truenorth_theme", "")))
        if sight.may(page.role):
            await show_page(sight, self.registry)
            self._tour(request, page)
        else:
            ui.context.client.status_code = 403
            show_refusal(sight, self.registry, named(page.role))
        add_first_look()

    def _tour(self, request: Request, page: Page) -> None:
        place = place_of(request.cookies.get(TOUR_COOKIE), len(self.tour))
        if place is not None and page.group:
            with ui.context.client.layout:
                show_tour(self.tour, place, page.path)

    def _first(self, request: Request) -> Response:
        caller: Caller = getattr(request.state, SIGNED_IN)
        pages = [page for page in self.registry.seen_by(caller) if page.group]
        home = next((page for page in pages if page.path == HOME[caller.role]), pages[0])
        return RedirectResponse(home.path, 303)

    def _desk(self, request: Request) -> Response:
        del request
        return RedirectResponse(next(page.path for page in self.registry if page.path.startswith(f"{DESK}/")), 303)

    async def _csv(self, request: Request) -> Response:
        page, parts = self.registry.find(f"/{request.path_params['path']}") or (None, {})
        if page is None or page.table is None:
            raise Turned(404, "unknown_page", "there is no page of this address that has a table")
        sight = self.sight(request, page, parts)
        if not sight.may(page.role):
            raise Turned(403, "role_too_small", f"expected the role {named(page.role)}")
        table = await page.table(sight, sight.filters)
        text = await run_in_threadpool(table.as_csv)
        name = page.path.strip("/").replace("/", "-")
        headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
        return Response(text, media_type="text/csv; charset=utf-8", headers=headers)


def _answer_missing_pages(app: FastAPI, forms: SigningIn) -> None:
    """Have whoever follows a link to a page that is not there get a page that says so; programs get what they got."""
    as_json = app.exception_handlers[HTTPException]

    def missing(request: Request, error: HTTPException) -> Any:
        is_asked_by_people = request.method == "GET" and "text/html" in request.headers.get("accept", "")
        if error.status_code == 404 and is_asked_by_people and not request.url.path.startswith(GUARDED):
            return forms.page("There is no such page", status=404, says=NO_PAGE, leads_back=True)
        return as_json(request, error)

    app.add_exception_handler(HTTPException, missing)  # type: ignore[arg-type]  # it is given no other error


class _Only(Mount):
    """All pages, and nothing else: what belongs to no page stays with the application around them."""

    def __init__(self, has: Callable[[str], bool], *, app: Any) -> None:
        super().__init__("/", app=app)
        self._has = has

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether an address is one of theirs."""
        if not self._has(scope["path"].removeprefix(scope.get("root_path", ""))):
            return Match.NONE, {}
        return super().matches(scope)
