"""The composition of the console: a store and settings in, pages on an application out."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING

from truenorth.server.service import Settings
from truenorth.spec.problems import Problem, TruenorthError
from truenorth.store.opening import Store

if TYPE_CHECKING:
    from truenorth.console.mount import Console

EMBEDDED_IN = "TRUENORTH_EMBEDDED_IN"
"""Origins of help desks that may show `/panel` in a frame, separated by spaces."""
JOIN_S = 24 * 3600
"""How long the link of the first administrator holds."""


def has_console() -> bool:
    """Whether what draws the pages is installed."""
    return find_spec("nicegui") is not None


def make_console(store: Store, settings: Settings, clock: Callable[[], int], *, with_tour: bool = False) -> Console:
    """The console of a store, to be mounted on the application of its service; ``with_tour``: with a guided tour."""
    if not has_console():
        hint = "install the extra 'console', or serve with --no-console"
        raise TruenorthError([Problem(path="console", expected="the package nicegui", found="none", hint=hint)])
    from truenorth.console.mount import Console  # noqa: PLC0415  (loads what draws pages)
    from truenorth.console.oidc import Oidc, settings_of  # noqa: PLC0415
    from truenorth.console.pages import registry  # noqa: PLC0415
    from truenorth.console.tour import steps_of  # noqa: PLC0415

    pages = registry()
    provider = settings_of(os.environ)
    return Console(
        registry=pages,
        accounts=store.accounts,
        audit=store.audit,
        now_us=clock,
        is_open=settings.is_open,
        embedded_in=tuple(os.environ.get(EMBEDDED_IN, "").split()),
        oidc=Oidc(provider) if provider else None,
        tour=steps_of(pages) if with_tour else (),
    )


def first_link(store: Store, settings: Settings, clock: Callable[[], int]) -> str | None:
    """The path of a link that makes the first administrator's account, where there is none yet."""
    if settings.is_open or store.accounts.has_admin():
        return None
    now_us = clock()
    by, expires_us = "the start of the service", now_us + JOIN_S * 1_000_000
    return "/join/" + store.accounts.invite(None, "admin", by=by, now_us=now_us, expires_us=expires_us)
